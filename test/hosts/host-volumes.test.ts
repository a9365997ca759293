import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Container, Pod } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { realHostFiles } from "#base/host-files.ts";
import { realProcessRunner } from "#base/process-runner.ts";
import { systemRandom } from "#base/random.ts";
import { CGROUP_PARENT } from "#cri/runtime-service.contract.ts";
import { containerSecurityContext, sandboxSecurityContext, sandboxSysctls } from "#kubelet/kuberuntime/security-context.ts";
import { podDns } from "#kubelet/network-files/pod-dns.ts";
import { kernelHostname } from "#kubelet/network-files/pod-hostname.ts";
import { HostVolumes } from "#kubelet/volumes/host-volumes.ts";
import { CommandMounter } from "#kubelet/volumes/mounter.ts";
import { CONTAINERD_REASON, Containerd, containerdVersions } from "../support/containerd.ts";
import { ImageRegistry } from "../support/image-registry.ts";
import { busyboxImage } from "../support/oci-image.ts";
import { saySkipped } from "../support/say-skipped.ts";

// biome-ignore lint/suspicious/noExplicitAny: objects of the API, in parts.
type Any = any;

/** Goes on until it is asked to end. */
const UNTIL_TOLD = ["sh", "-c", 'trap "exit 143" TERM; while :; do sleep 0.1; done'];
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Files can be devices here, and file systems be made on them. */
const canLoop = existsSync("/dev/loop-control") && existsSync("/usr/sbin/mkfs.ext4") && existsSync("/usr/sbin/blkid");

saySkipped(containerdVersions.length > 0, `volumes in real containers: ${CONTAINERD_REASON}`);

/** Real mounts in real containers; which containerd it is makes no difference here. */
describe.each(containerdVersions.slice(0, 1))("what containers find inside, on $name", (version) => {
  let registry: ImageRegistry;
  let containerd: Containerd;
  let image: string;
  let root: string;
  let volumes: HostVolumes;
  const objects: Record<string, Any> = {};
  const mounter = new CommandMounter({ runner: realProcessRunner, files: realHostFiles });
  const mountsLeft = (): string[] =>
    readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(root));

  beforeAll(async () => {
    registry = new ImageRegistry();
    await registry.start();
    const pause = registry.add("pause", "1", busyboxImage({ Entrypoint: ["sleep", "2147483647"] }));
    image = registry.add("busybox", "1", busyboxImage({ Cmd: ["sh"], Env: ["PATH=/bin"] }));
    containerd = await Containerd.start(version, pause);
    await containerd.images.pullImage({ image });
    root = realpathSync(mkdtempSync(join(tmpdir(), "kybern-volumes-")));
    volumes = await startVolumes();
  });
  afterAll(async () => {
    await containerd?.[Symbol.asyncDispose]();
    await registry?.[Symbol.asyncDispose]();
    expect(mountsLeft()).toEqual([]);
    rmSync(root, { recursive: true });
  });

  const startVolumes = (): Promise<HostVolumes> =>
    HostVolumes.start({
      root: join(root, "kubelet"),
      files: realHostFiles,
      mounter,
      clock: realClock,
      random: systemRandom,
      processId: process.pid,
      allocatable: () => ({ memory: "512Mi", cpu: "2" }),
      sources: {
        configMap: async (_, name) => objects[`configmap/${name}`],
        secret: async (_, name) => objects[`secret/${name}`],
        token: async (_, audience) => ({ token: `token for ${audience}`, refreshAtMs: Date.now() + 60_000 }),
        claim: async (_, name) => objects[`claim/${name}`],
        persistentVolume: async (name) => objects[`volume/${name}`],
        node: async () => undefined,
      },
      clusterDomain: "cluster.local",
      handlerOf: () => ({ name: "", recursiveReadOnlyMounts: false, userNamespaces: false }),
      imageOf: async (_, { reference }) => ({ image: reference }),
      tmpfsNoswap: false,
    });

  interface Running {
    readonly pod: Pod;
    readonly uid: string;
    readonly terminationLogPath: string;
    /** What a command says, in one of its containers. */
    readonly run: (command: string, container?: string) => Promise<string>;
    readonly setUp: (changed?: Pod) => Promise<void>;
    readonly stop: () => Promise<void>;
  }
  let count = 0;

  const start = async (spec: Any, metadata: Any = {}): Promise<Running> => {
    const { runtime, dir } = containerd;
    const uid = `pod-${++count}`;
    const pod = {
      metadata: { name: uid, namespace: "tests", uid, ...metadata },
      spec: { ...spec, containers: spec.containers ?? [{ name: "c", ...spec.container }] },
    } as unknown as Pod;
    let current = pod;
    let ip = "";
    const now = () => ({ pod: current, addresses: { pod: ip, host: "192.168.7.7" } });
    await volumes.setUp(now);
    const settings = { clusterDns: ["10.96.0.10"], clusterDomain: "cluster.local", ofNode: undefined, nodeIps: [] };
    const sandbox = {
      metadata: { name: uid, namespace: "tests", uid, attempt: 0 },
      hostname: pod.spec.hostNetwork === true ? "" : kernelHostname(pod, "cluster.local"),
      labels: {},
      annotations: {},
      logDirectory: join(dir, "logs", uid),
      dnsConfig: podDns(pod, settings).config,
      linux: { cgroupParent: CGROUP_PARENT, securityContext: sandboxSecurityContext(pod), sysctls: sandboxSysctls(pod) },
    };
    const sandboxId = await runtime.runPodSandbox(sandbox);
    ip = (await runtime.podSandboxStatus(sandboxId)).ip;
    const ids = new Map<string, string>();
    let terminationLogPath = "";
    for (const container of pod.spec.containers as readonly Container[]) {
      const expand = (text: string): string => text.replaceAll("$(POD_NAME)", uid);
      const made = await volumes.mounts(now, container, 0, expand);
      terminationLogPath = made.terminationLogPath;
      const config = {
        metadata: { name: container.name, attempt: 0 },
        image: { image },
        command: container.command ?? UNTIL_TOLD,
        args: [],
        labels: {},
        annotations: {},
        logPath: `${container.name}.log`,
        mounts: made.mounts,
        devices: made.devices ?? [],
        linux: {
          securityContext: containerSecurityContext(pod, container, { uid: 0 }, { seccompRoot: root, seccompDefault: false }),
        },
      };
      const id = await runtime.createContainer(sandboxId, config, sandbox);
      await runtime.startContainer(id);
      ids.set(container.name, id);
    }
    const run = async (command: string, container = "c"): Promise<string> => {
      const { stdout, stderr } = await runtime.execSync(ids.get(container) ?? "", ["sh", "-c", command], 10);
      return `${stdout}${stderr}`.trim();
    };
    const stop = async (): Promise<void> => {
      await runtime.stopPodSandbox(sandboxId);
      await runtime.removePodSandbox(sandboxId);
      await volumes.tearDown(uid);
      expect(mountsLeft().filter((line) => line.includes(`/${uid}/`))).toEqual([]);
    };
    const setUp = async (changed?: Pod): Promise<void> => {
      current = changed ?? current;
      await volumes.setUp(now);
    };
    return { pod, uid, terminationLogPath, run, setUp, stop };
  };

  const folder = (name: string): string => {
    const path = join(root, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const on = (...mounts: Any[]): Any => ({ volumeMounts: mounts });
  const at = (name: string, more: Any = {}): Any => ({ name, mountPath: `/mnt/${name}`, ...more });

  test("files from the API change while containers run, all at once", async () => {
    objects["configmap/live"] = { data: { a: "1", b: "1" } };
    objects["secret/live"] = { data: { s: base64("old") } };
    const fields = { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } };
    const running = await start(
      {
        volumes: [
          { name: "map", configMap: { name: "live" } },
          { name: "sec", secret: { secretName: "live" } },
          { name: "fields", ...fields },
        ],
        container: on(at("map"), at("sec"), at("fields")),
      },
      { labels: { x: "1" } },
    );
    try {
      objects["configmap/live"] = { data: { b: "2", c: "2" } };
      objects["secret/live"] = { data: { s: base64("new") } };
      await running.setUp({ ...running.pod, metadata: { ...running.pod.metadata, labels: { x: "2" } } });
      expect(await running.run("cd /mnt/map; for f in *; do echo $f=$(cat $f); done")).toBe("b=2\nc=2");
      expect(await running.run("cat /mnt/sec/s; echo; cat /mnt/fields/labels")).toBe('new\nx="2"');
      // What is gone stays as it was seen last, and the others go on.
      delete objects["secret/live"];
      await expect(running.setUp()).rejects.toThrow('MountVolume.SetUp failed for volume "sec" : secret "live" not found');
      expect(await running.run("cat /mnt/sec/s")).toBe("new");
    } finally {
      await running.stop();
    }
  });

  test("a container's last word arrives on the node, whoever says it", async () => {
    const command = ["sh", "-c", "echo -n DONE > /dev/termination-custom; sleep 1000"];
    const container = { terminationMessagePath: "/dev/termination-custom", securityContext: { runAsUser: 1001 }, command };
    const running = await start({ container });
    try {
      expect(await running.run("while [ ! -s /dev/termination-custom ]; do sleep 0.1; done; cat /dev/termination-custom")).toBe(
        "DONE",
      );
      expect(readFileSync(running.terminationLogPath, "utf8")).toBe("DONE");
    } finally {
      await running.stop();
    }
  });

  test("a link that a container makes in its volume leads no other container to the node's files", async () => {
    const running = await start({ volumes: [{ name: "v", emptyDir: {} }], container: on(at("v")) });
    try {
      await running.run("ln -s / /mnt/v/escape; ln -s /etc/shadow /mnt/v/file");
      for (const subPath of ["escape/etc", "file", "escape/tmp/kybern-made"]) {
        const container = { name: "second", volumeMounts: [at("v", { subPath })] } as unknown as Container;
        const now = () => ({ pod: running.pod, addresses: { pod: "", host: "" } });
        await expect(volumes.mounts(now, container, 0, (text) => text)).rejects.toThrow(/^failed to (prepare|create) subPath/);
      }
      expect(() => statSync("/tmp/kybern-made")).toThrow("ENOENT");
    } finally {
      await running.stop();
    }
  });

  test("what is mounted at the node appears in containers that ask for it, and what they mount on the node", async () => {
    const shared = folder("shared");
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", shared]);
    execFileSync("mount", ["--make-rshared", shared]);
    try {
      for (const name of ["host", "inside"]) mkdirSync(join(shared, name));
      const running = await start({
        volumes: [{ name: "v", hostPath: { path: shared } }],
        containers: [
          { name: "c", ...on(at("v", { mountPropagation: "HostToContainer" })) },
          { name: "private", ...on(at("v")) },
          { name: "both", securityContext: { privileged: true }, ...on(at("v", { mountPropagation: "Bidirectional" })) },
        ],
      });
      try {
        execFileSync("mount", ["-t", "tmpfs", "tmpfs", join(shared, "host")]);
        writeFileSync(join(shared, "host/f"), "");
        await running.run("mount -t tmpfs none /mnt/v/inside && touch /mnt/v/inside/g", "both");
        expect(await running.run("ls /mnt/v/host /mnt/v/inside")).toBe("/mnt/v/host:\nf\n\n/mnt/v/inside:\ng");
        expect(await running.run("ls /mnt/v/host /mnt/v/inside", "private")).toBe("/mnt/v/host:\n\n/mnt/v/inside:");
        expect(statSync(join(shared, "inside/g")).isFile()).toBe(true);
      } finally {
        await running.stop();
      }
    } finally {
      execFileSync("umount", ["-R", shared]);
    }
  });

  test("a kubelet that starts anew finds its volumes as they are, and clears up after pods that are gone", async () => {
    const spec = {
      volumes: [{ name: "v", emptyDir: { medium: "Memory" } }],
      container: on(at("v"), at("v", { mountPath: "/part", subPath: "part" })),
    };
    const [stays, goes] = [await start(spec), await start(spec)];
    await stays.run("echo kept > /part/f");
    await containerd.runtime.stopPodSandbox(
      (await containerd.runtime.listPodSandbox()).find(({ metadata }) => metadata.uid === goes.uid)?.id ?? "",
    );
    volumes = await startVolumes();
    await stays.setUp();
    expect(await stays.run("cat /mnt/v/part/f")).toBe("kept");
    await volumes.cleanUp(new Set([stays.uid]));
    expect(mountsLeft().filter((line) => line.includes(`/${goes.uid}/`))).toEqual([]);
    expect(mountsLeft().filter((line) => line.includes(`/${stays.uid}/`)).length).toBeGreaterThan(1);
    await goes.stop();
    await stays.stop();
  });

  test("what is mounted within a pod's folder is not removed with it", async () => {
    const precious = folder("precious");
    writeFileSync(join(precious, "f"), "");
    const within = folder("kubelet/pods/odd/volumes/x/y");
    execFileSync("mount", ["--bind", precious, within]);
    // A kubelet that does not see the mount must stop at it all the same.
    const blind = await HostVolumes.start({
      ...({} as Any),
      root: join(root, "kubelet"),
      files: realHostFiles,
      mounter: { list: async () => [], mount: async () => {}, unmount: async () => {} },
      clock: realClock,
      random: systemRandom,
      sources: undefined,
    });
    await expect(blind.tearDown("odd")).rejects.toThrow("volumes/x/y is mounted: it is not removed");
    expect(readFileSync(join(precious, "f"), "utf8")).toBe("");
    await volumes.tearDown("odd");
    expect(statSync(join(precious, "f")).isFile()).toBe(true);
  });

  /** Volumes alone, without containers. */
  const alone = (uid: string, spec: Any): { readonly now: () => Any; readonly container: Container } => {
    const pod = {
      metadata: { name: uid, namespace: "tests", uid },
      spec: { containers: [{ name: "c", ...spec.container }], ...spec },
    };
    return { now: () => ({ pod, addresses: { pod: "", host: "" } }), container: pod.spec.containers[0] as Container };
  };

  test("thirty pods at once, set up and torn down again and again, leave nothing", async () => {
    objects["configmap/many"] = { data: { a: "1" } };
    objects["secret/many"] = { data: { s: base64("s") } };
    const round = async (uid: string): Promise<void> => {
      const spec = {
        volumes: [
          { name: "m", emptyDir: { medium: "Memory" } },
          { name: "map", configMap: { name: "many" } },
          { name: "sec", secret: { secretName: "many" } },
        ],
        container: on(at("m"), at("map"), at("sec"), at("m", { mountPath: "/p", subPath: "part" })),
      };
      const { now, container } = alone(uid, spec);
      await volumes.setUp(now);
      await volumes.setUp(now);
      await volumes.mounts(now, container, 0, (text) => text);
      await volumes.tearDown(uid);
    };
    const handles = (): number => readdirSync("/proc/self/fd").length;
    const before = handles();
    for (let i = 0; i < 2; i++) await Promise.all(Array.from({ length: 30 }, (_, n) => round(`many-${n}`)));
    expect(mountsLeft()).toEqual([]);
    expect(readdirSync(join(root, "kubelet/pods")).filter((name) => name.startsWith("many-"))).toEqual([]);
    expect(handles()).toBeLessThanOrEqual(before + 2);
  }, 120_000);

  /** A file of the node as a device, which a claim of each mode is bound to. */
  const loopDevice = (name: string): { readonly path: string } & Disposable => {
    const file = join(root, `${name}.img`);
    writeFileSync(file, "");
    truncateSync(file, 32 * 1024 * 1024);
    const path = execFileSync("losetup", ["-f", "--show", file], { encoding: "utf8" }).trim();
    const [uid, volumeName] = [`c-${name}`, `pv-${name}`];
    objects[`claim/${name}`] = { metadata: { uid }, spec: { volumeName }, status: { phase: "Bound" } };
    const volumeMode = name === "block" ? "Block" : "Filesystem";
    objects[`volume/${volumeName}`] = {
      metadata: { name: volumeName },
      spec: { claimRef: { uid }, local: { path }, volumeMode },
    };
    return { path, [Symbol.dispose]: () => execFileSync("losetup", ["-d", path]) };
  };
  const claims = (claimName: string): Any => [{ name: "v", persistentVolumeClaim: { claimName } }];

  test.skipIf(!canLoop)("a container gets a device itself (with loop devices)", async () => {
    using _disk = loopDevice("block");
    const volumeDevices = [{ name: "v", devicePath: "/dev/own" }];
    const running = await start({ volumes: claims("block"), container: { volumeDevices } });
    try {
      await running.run("echo written > /tmp/f; dd if=/tmp/f of=/dev/own conv=notrunc 2>/dev/null; sync");
      expect(await running.run("dd if=/dev/own bs=7 count=1 2>/dev/null; test -b /dev/own && echo ' block'")).toBe(
        "written block",
      );
    } finally {
      await running.stop();
    }
  });

  test.skipIf(!canLoop)(
    "pods share a file system that is made on a device once, until the last (with loop devices, mkfs.ext4 and blkid)",
    async () => {
      using _disk = loopDevice("files");
      const spec = { volumes: claims("files"), container: on(at("v")) };
      const [first, second] = [await start(spec), await start(spec)];
      await first.run("echo kept > /mnt/v/f");
      expect(await second.run("cat /mnt/v/f; grep -c ' /mnt/v ext4 ' /proc/mounts")).toBe("kept\n1");
      await first.stop();
      expect(mountsLeft().join()).toContain("/plugins/kubernetes.io/local-volume/mounts/pv-files");
      await second.stop();
      expect(mountsLeft()).toEqual([]);
      const third = await start(spec);
      expect(await third.run("cat /mnt/v/f")).toBe("kept");
      await third.stop();
      expect(mountsLeft()).toEqual([]);
    },
  );

  test("a part of a volume that was exchanged is mounted anew, and else stays as it is", async () => {
    objects["configmap/part"] = { data: { f: "1" } };
    const mount = at("v", { mountPath: "/f", subPath: "f" });
    const { now, container } = alone("part", { volumes: [{ name: "v", configMap: { name: "part" } }], container: on(mount) });
    const look = async (): Promise<readonly string[]> => {
      await volumes.setUp(now);
      const [first] = (await volumes.mounts(now, container, 0, (text) => text)).mounts;
      return [readFileSync(first?.hostPath ?? "", "utf8"), mountsLeft().join()];
    };
    const before = await look();
    expect(before[0]).toBe("1");
    expect(await look()).toEqual(before);
    objects["configmap/part"] = { data: { f: "2" } };
    const after = await look();
    expect(after[0]).toBe("2");
    expect(after[1]).not.toBe(before[1]);
    await volumes.tearDown("part");
    expect(mountsLeft()).toEqual([]);
  });

  test.skipIf(!existsSync("/sys/kernel/mm/hugepages/hugepages-2048kB"))(
    "huge pages are mounted with their size (with huge pages of 2 MiB)",
    async () => {
      const resources = { requests: { "hugepages-2Mi": "4Mi" } };
      const { now } = alone("huge", {
        volumes: [{ name: "v", emptyDir: { medium: "HugePages-2Mi" } }],
        container: { resources, ...on(at("v")) },
      });
      await volumes.setUp(now);
      expect(mountsLeft().join()).toMatch(/huge\/volumes\/kubernetes.io~empty-dir\/v .* hugetlbfs nodev rw.*pagesize=2M/);
      await volumes.tearDown("huge");
      expect(mountsLeft()).toEqual([]);
    },
  );

  test.skipIf(existsSync("/sbin/mount.nfs"))("without NFS it is told what mount says (without mount.nfs)", async () => {
    const { now } = alone("nfs", { volumes: [{ name: "v", nfs: { server: "127.0.0.1", path: "/x" } }], container: on(at("v")) });
    await expect(volumes.setUp(now)).rejects.toThrow(
      /^MountVolume\.SetUp failed for volume "v" : mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs 127\.0\.0\.1:\/x .*\nOutput: mount: .*nfs/s,
    );
    await volumes.tearDown("nfs");
  });
});
