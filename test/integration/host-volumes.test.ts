import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
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

// biome-ignore lint/suspicious/noExplicitAny: objects of the API, in parts.
type Any = any;

/** Goes on until it is asked to end. */
const UNTIL_TOLD = ["sh", "-c", 'trap "exit 143" TERM; while :; do sleep 0.1; done'];
const base64 = (text: string): string => Buffer.from(text).toString("base64");

test.skipIf(containerdVersions.length > 0)(`volumes in real containers: ${CONTAINERD_REASON}`, (context) => context.skip());

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
  const statted = "stat -c '%a %u:%g'";

  interface Case {
    readonly name: string;
    readonly objects?: () => Record<string, Any>;
    readonly spec: () => Any;
    readonly metadata?: Any;
    /** Commands and what they say. */
    readonly finds: Readonly<Record<string, string | RegExp>>;
  }

  const cases: readonly Case[] = [
    {
      name: "emptyDir on disk is open to all, whoever they are",
      spec: () => ({
        volumes: [{ name: "v", emptyDir: {} }],
        securityContext: { runAsUser: 1001 },
        container: on(at("v")),
      }),
      finds: {
        [`${statted} /mnt/v`]: "777 0:0",
        [`echo hi > /mnt/v/f && ${statted} /mnt/v/f`]: "644 1001:0",
        "grep -c ' /mnt/v tmpfs' /proc/mounts": "0",
      },
    },
    {
      name: "emptyDir in memory has its size, and takes no more",
      spec: () => ({ volumes: [{ name: "v", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }], container: on(at("v")) }),
      finds: {
        "grep ' /mnt/v ' /proc/mounts": /^tmpfs \/mnt\/v tmpfs rw,relatime,size=1024k/,
        [`${statted} /mnt/v`]: "1777 0:0",
        "dd if=/dev/zero of=/mnt/v/f bs=1M count=2 2>&1 | head -1": /No space left on device/,
      },
    },
    {
      name: "emptyDir belongs to the pod's group",
      spec: () => ({
        volumes: [
          { name: "disk", emptyDir: {} },
          { name: "memory", emptyDir: { medium: "Memory" } },
        ],
        securityContext: { runAsUser: 1001, runAsGroup: 2002, fsGroup: 123, supplementalGroups: [77] },
        container: on(at("disk"), at("memory")),
      }),
      finds: {
        [`${statted} /mnt/disk /mnt/memory`]: "2777 0:123\n3777 0:123",
        [`umask 007; echo > /mnt/disk/f; ${statted} /mnt/disk/f`]: "660 1001:123",
        id: /^uid=1001.* gid=2002.* groups=.*77.*123|^uid=1001.* gid=2002.* groups=.*123.*77/,
      },
    },
    {
      name: "containers of a pod share a volume",
      spec: () => ({
        volumes: [{ name: "v", emptyDir: {} }],
        containers: [
          { name: "c", ...on(at("v", { readOnly: true })) },
          { name: "writer", command: ["sh", "-c", "echo written > /mnt/v/f; sleep 1000"], ...on(at("v")) },
        ],
      }),
      finds: {
        "while [ ! -s /mnt/v/f ]; do sleep 0.1; done; cat /mnt/v/f": "written",
        "echo x > /mnt/v/f || true": /Read-only file system/,
      },
    },
    {
      name: "a ConfigMap's files, with paths and modes",
      objects: () => ({
        "configmap/map": {
          data: { "data-1": "value-1", "data-2": "value-2" },
          binaryData: { dump: Buffer.of(0xde, 0xca).toString("base64") },
        },
      }),
      spec: () => ({
        volumes: [
          { name: "all", configMap: { name: "map", defaultMode: 0o644 } },
          {
            name: "part",
            configMap: { name: "map", defaultMode: 0o400, items: [{ key: "data-2", path: "path/to/data-2", mode: 0o440 }] },
          },
        ],
        container: on(at("all"), at("part")),
      }),
      finds: {
        "cat /mnt/all/data-1; readlink /mnt/all/data-1": "value-1..data/data-1",
        "od -An -tx1 /mnt/all/dump": "de ca",
        "cat /mnt/part/path/to/data-2": "value-2",
        "ls /mnt/part": "path",
        [`${statted} -L /mnt/part/path/to/data-2 /mnt/all/data-1`]: "440 0:0\n644 0:0",
        "echo x > /mnt/all/data-1 || true": /Read-only file system/,
      },
    },
    {
      name: "a Secret's files are in memory, and for the pod's group to read",
      objects: () => ({ "secret/sec": { data: { "data-1": base64("secret-1\n") } } }),
      spec: () => ({
        volumes: [{ name: "v", secret: { secretName: "sec", defaultMode: 0o400 } }],
        securityContext: { runAsUser: 1000, fsGroup: 1001 },
        container: on(at("v")),
      }),
      finds: {
        "cat /mnt/v/data-1": "secret-1",
        [`${statted} -L /mnt/v/data-1`]: "440 0:1001",
        "grep -c ' /mnt/v tmpfs ro' /proc/mounts": "1",
      },
    },
    {
      name: "what is optional and not there is empty",
      spec: () => ({
        volumes: [
          { name: "map", configMap: { name: "none", optional: true } },
          { name: "sec", secret: { secretName: "none", optional: true } },
        ],
        container: on(at("map"), at("sec")),
      }),
      finds: { "ls /mnt/map /mnt/sec | grep -v :": "" },
    },
    {
      name: "projected: all sources in one volume",
      objects: () => ({ "configmap/pm": { data: { m: "from map" } }, "secret/ps": { data: { s: base64("from secret") } } }),
      metadata: { labels: { app: "web", tier: "front" }, annotations: { note: 'a "quote"' } },
      spec: () => ({
        volumes: [
          {
            name: "v",
            projected: {
              defaultMode: 0o444,
              sources: [
                { configMap: { name: "pm", items: [{ key: "m", path: "x/m" }] } },
                { secret: { name: "ps", items: [{ key: "s", path: "x/s", mode: 0o400 }] } },
                {
                  downwardAPI: {
                    items: [
                      { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
                      { path: "annotations", fieldRef: { fieldPath: "metadata.annotations" } },
                      { path: "cpu", resourceFieldRef: { containerName: "c", resource: "limits.cpu" } },
                    ],
                  },
                },
                { serviceAccountToken: { path: "token", audience: "vault" } },
              ],
            },
          },
        ],
        container: on(at("v")),
      }),
      finds: {
        "cat /mnt/v/x/m; echo; cat /mnt/v/x/s": "from map\nfrom secret",
        "cat /mnt/v/labels": 'app="web"\ntier="front"',
        "cat /mnt/v/annotations": 'note="a \\"quote\\""',
        "cat /mnt/v/cpu; echo; cat /mnt/v/token": "2\ntoken for vault",
        [`${statted} -L /mnt/v/x/s /mnt/v/token`]: "400 0:0\n444 0:0",
      },
    },
    {
      name: "a token belongs to the pod's user and nobody else",
      spec: () => ({
        volumes: [{ name: "v", projected: { defaultMode: 0o644, sources: [{ serviceAccountToken: { path: "token" } }] } }],
        securityContext: { runAsUser: 1234 },
        container: on(at("v")),
      }),
      finds: { [`${statted} -L /mnt/v/token; cat /mnt/v/token`]: "600 1234:0\ntoken for undefined" },
    },
    {
      name: "parts of volumes: a folder that is made, a file, and by a variable",
      objects: () => ({ "configmap/sub": { data: { "app.conf": "on" } } }),
      spec: () => ({
        volumes: [
          { name: "v", emptyDir: {} },
          { name: "map", configMap: { name: "sub" } },
        ],
        container: on(
          at("v"),
          at("v", { mountPath: "/sub", subPath: "made/here" }),
          at("v", { mountPath: "/named", subPathExpr: "$(POD_NAME)" }),
          at("map", { mountPath: "/etc/app.conf", subPath: "app.conf" }),
        ),
      }),
      finds: {
        "echo 1 > /sub/f; cat /mnt/v/made/here/f": "1",
        [`${statted} /sub /named`]: "777 0:0\n777 0:0",
        "ls -d /mnt/v/pod-*": /^\/mnt\/v\/pod-\d+$/,
        "cat /etc/app.conf": "on",
      },
    },
    {
      name: "hostPath: what the node has, whether it is only read or not",
      spec: () => {
        writeFileSync(join(folder("host"), "f"), "of the node");
        return {
          volumes: [
            { name: "v", hostPath: { path: join(root, "host"), type: "Directory" } },
            { name: "made", hostPath: { path: join(root, "host/made"), type: "DirectoryOrCreate" } },
            { name: "dev", hostPath: { path: "/dev/null", type: "CharDevice" } },
          ],
          container: on(at("v", { readOnly: true }), at("made"), at("dev", { mountPath: "/mnt/null" })),
        };
      },
      finds: {
        "cat /mnt/v/f; echo x > /mnt/v/f || true": /^of the node.*Read-only file system/s,
        "echo 1 > /mnt/made/g; cat /mnt/v/made/g": "1",
        "test -c /mnt/null && echo device": "device",
      },
    },
    {
      name: "a local volume of a claim, for the pod's group",
      objects: () => ({
        "claim/data": { metadata: { uid: "c-1" }, spec: { volumeName: "pv-1" }, status: { phase: "Bound" } },
        "volume/pv-1": { metadata: { name: "pv-1" }, spec: { claimRef: { uid: "c-1" }, local: { path: folder("disk") } } },
      }),
      spec: () => ({
        volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }],
        securityContext: { fsGroup: 4321 },
        container: on(at("v"), at("v", { mountPath: "/part", subPath: "part" })),
      }),
      finds: {
        "echo kept > /part/f; cat /mnt/v/part/f": "kept",
        "stat -c %g /mnt/v": "4321",
      },
    },
    {
      name: "a hostPath volume of a claim that is only read",
      objects: () => ({
        "claim/ro": { metadata: { uid: "c-2" }, spec: { volumeName: "pv-2" }, status: { phase: "Bound" } },
        "volume/pv-2": { metadata: { name: "pv-2" }, spec: { claimRef: { uid: "c-2" }, hostPath: { path: folder("disk-2") } } },
      }),
      spec: () => ({
        volumes: [{ name: "v", persistentVolumeClaim: { claimName: "ro", readOnly: true } }],
        container: on(at("v")),
      }),
      finds: { "echo x > /mnt/v/f || true": /Read-only file system/ },
    },
    {
      name: "/etc/hosts, with a domain and aliases; /etc/resolv.conf; the name",
      spec: () => ({
        hostname: "front",
        subdomain: "sub",
        setHostnameAsFQDN: true,
        hostAliases: [{ ip: "123.45.67.89", hostnames: ["foo", "bar"] }],
        dnsConfig: { nameservers: ["1.1.1.1"], searches: ["example.com"], options: [{ name: "ndots", value: "2" }] },
        container: {},
      }),
      finds: {
        "head -1 /etc/hosts": "# Kubernetes-managed hosts file.",
        "grep front /etc/hosts": /^10\.253\.\d+\.\d+\tfront\.sub\.tests\.svc\.cluster\.local\tfront$/,
        "tail -2 /etc/hosts": "# Entries added by HostAliases.\n123.45.67.89\tfoo\tbar",
        "cat /etc/resolv.conf":
          "search tests.svc.cluster.local svc.cluster.local cluster.local example.com\nnameserver 10.96.0.10\nnameserver 1.1.1.1\noptions ndots:2",
        hostname: "front.sub.tests.svc.cluster.local",
      },
    },
    {
      name: "/etc/hosts of the node's network is the node's",
      spec: () => ({ hostNetwork: true, container: {} }),
      finds: { "head -1 /etc/hosts; grep -c localhost /etc/hosts": /^# Kubernetes-managed hosts file \(host network\)\.\n[1-9]/ },
    },
    {
      name: "/etc/hosts that the container mounts itself is left alone",
      objects: () => ({ "configmap/hosts": { data: { hosts: "own" } } }),
      spec: () => ({
        volumes: [{ name: "v", configMap: { name: "hosts" } }],
        container: on(at("v", { mountPath: "/etc/hosts", subPath: "hosts" })),
      }),
      finds: { "cat /etc/hosts": "own" },
    },
    {
      name: "users, groups, and a root that is only read",
      spec: () => ({
        container: { securityContext: { runAsUser: 65534, runAsGroup: 2, readOnlyRootFilesystem: true } },
      }),
      finds: { "id -u; id -g": "65534\n2", "echo > /tmp/f || true": /Read-only file system|Permission denied/ },
    },
    {
      name: "privileges cannot be gained, and capabilities are as asked",
      spec: () => ({
        container: {
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } },
        },
      }),
      finds: { "grep -E 'NoNewPrivs|CapEff' /proc/1/status": "CapEff:\t0000000000000400\nNoNewPrivs:\t1" },
    },
    {
      name: "by default capabilities are the runtime's, and /proc is masked",
      spec: () => ({ container: {} }),
      finds: {
        "grep -E 'NoNewPrivs|CapEff' /proc/1/status": "CapEff:\t00000000a80425fb\nNoNewPrivs:\t0",
        "cat /proc/keys | wc -c; echo 1 2>&1 > /proc/sys/kernel/domainname || true": /^0\n.*Read-only file system/s,
      },
    },
    {
      name: "a privileged container may do all",
      spec: () => ({ container: { securityContext: { privileged: true } } }),
      finds: { "mount -t tmpfs none /tmp && grep -c ' /tmp tmpfs' /proc/mounts": "1" },
    },
    {
      name: "seccomp: the runtime's profile, when it is asked for",
      spec: () => ({ securityContext: { seccompProfile: { type: "RuntimeDefault" } }, container: {} }),
      finds: { "grep Seccomp: /proc/1/status": "Seccomp:\t2" },
    },
    {
      name: "settings of the kernel",
      spec: () => ({ securityContext: { sysctls: [{ name: "kernel.shm_rmid_forced", value: "1" }] }, container: {} }),
      finds: { "cat /proc/sys/kernel/shm_rmid_forced": "1" },
    },
  ];

  test.each(cases)("$name", async ({ objects: added, spec, metadata, finds }) => {
    Object.assign(objects, added?.());
    const running = await start(spec(), metadata);
    try {
      for (const [command, want] of Object.entries(finds)) {
        const said = await running.run(command);
        if (typeof want === "string") expect(said, command).toBe(want);
        else expect(said, command).toMatch(want);
      }
    } finally {
      await running.stop();
    }
  });

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
});
