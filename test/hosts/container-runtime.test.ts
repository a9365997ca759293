import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { realClock } from "#base/clock.ts";
import type { ContainerConfig } from "#cri/container.ts";
import { describeImageContract } from "#cri/image-service.contract.ts";
import { decodeLogLine } from "#cri/log-line.ts";
import type { PodSandboxConfig } from "#cri/pod-sandbox.ts";
import { CriChannel } from "#cri/remote/cri-channel.ts";
import { RemoteRuntime } from "#cri/remote/remote-runtime.ts";
import { CGROUP_PARENT, describeRuntimeContract } from "#cri/runtime-service.contract.ts";
import { CONTAINERD_REASON, Containerd, containerdVersions } from "../support/containerd.ts";
import { ImageRegistry } from "../support/image-registry.ts";
import { busyboxImage } from "../support/oci-image.ts";
import { saySkipped } from "../support/say-skipped.ts";

/** Goes on until it is asked to end. */
const UNTIL_TOLD = ["sh", "-c", 'trap "exit 143" TERM; while :; do sleep 0.1; done'];
const MIB: number = 1024 * 1024;

saySkipped(containerdVersions.length > 0, `containers on a real runtime: ${CONTAINERD_REASON}`);

describe.each(containerdVersions)("$name", (version) => {
  let registry: ImageRegistry;
  let containerd: Containerd;
  let image: string;

  beforeAll(async () => {
    registry = new ImageRegistry();
    await registry.start();
    const pause = registry.add("pause", "1", busyboxImage({ Entrypoint: ["sleep", "2147483647"] }));
    image = registry.add("busybox", "1", busyboxImage({ Cmd: ["sh"], Env: ["PATH=/bin", "FROM_IMAGE=yes"] }));
    containerd = await Containerd.start(version, pause);
    await containerd.images.pullImage({ image });
  });
  afterAll(async () => {
    // Fails when a mount, a process, a cgroup or the network bridge is left.
    await containerd?.[Symbol.asyncDispose]();
    await registry?.[Symbol.asyncDispose]();
  });

  describeRuntimeContract("containerd", async () => ({ runtime: containerd.runtime, image, command: UNTIL_TOLD }), {
    hasEvents: !version.name.includes(" 1.6."),
  });
  describeImageContract("containerd", async () => ({
    images: containerd.images,
    name: registry.add("app", "1", busyboxImage({ Cmd: ["true"] })),
  }));

  interface Pod {
    readonly sandbox: PodSandboxConfig;
    readonly sandboxId: string;
    readonly id: string;
  }
  let pods = 0;
  const create = async (config: Partial<ContainerConfig>, more: Partial<PodSandboxConfig> = {}): Promise<Pod> => {
    const { runtime, dir } = containerd;
    const name = `pod-${++pods}`;
    const sandbox: PodSandboxConfig = {
      metadata: { name, namespace: "tests", uid: name, attempt: 0 },
      hostname: name,
      labels: {},
      annotations: {},
      logDirectory: join(dir, "logs", name),
      ...more,
      linux: { cgroupParent: CGROUP_PARENT, ...more.linux },
    };
    const sandboxId = await runtime.runPodSandbox(sandbox);
    const own = {
      metadata: { name: "app", attempt: 0 },
      image: { image },
      command: UNTIL_TOLD,
      args: [],
      labels: {},
      annotations: {},
    };
    const id = await runtime.createContainer(sandboxId, { ...own, logPath: "app_0.log", ...config }, sandbox);
    return { sandbox, sandboxId, id };
  };
  const remove = async ({ sandboxId }: Pod): Promise<void> => {
    await containerd.runtime.stopPodSandbox(sandboxId);
    await containerd.runtime.removePodSandbox(sandboxId);
  };
  const ended = (id: string): Promise<void> =>
    vi.waitFor(async () => expect((await containerd.runtime.containerStatus(id)).state).toBe("CONTAINER_EXITED"), {
      timeout: 10_000,
    });
  const log = async ({ sandbox }: Pod): Promise<string[]> => {
    const bytes = await readFile(join(sandbox.logDirectory ?? "", "app_0.log"));
    const lines = bytes.toString("latin1").trimEnd().split("\n");
    return lines.map((line) => {
      const { stream, content } = decodeLogLine(Buffer.from(line, "latin1")) ?? { stream: "none", content: "" };
      return `${stream}: ${content}`;
    });
  };
  /** What a script says in a container that ends by itself. */
  const output = async (
    script: string,
    config: Partial<ContainerConfig>,
    more: Partial<PodSandboxConfig> = {},
  ): Promise<string[]> => {
    const pod = await create({ command: ["sh", "-c", script], ...config }, more);
    await containerd.runtime.startContainer(pod.id);
    await ended(pod.id);
    const lines = await log(pod);
    await remove(pod);
    return lines;
  };

  test("a container that fails says how, and its log what it said", async () => {
    const pod = await create({ command: ["sh", "-c"], args: ["echo out; echo err >&2; exit 3"] });
    await containerd.runtime.startContainer(pod.id);
    await ended(pod.id);
    const status = await containerd.runtime.containerStatus(pod.id);
    expect(status).toMatchObject({ exitCode: 3, reason: "Error", logPath: join(pod.sandbox.logDirectory ?? "", "app_0.log") });
    expect((await log(pod)).sort()).toEqual(["stderr: err", "stdout: out"]);
    await remove(pod);
  });

  test("a log goes on in a new file when the old one was moved away", async () => {
    const { runtime } = containerd;
    const pod = await create({ command: ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done"] });
    await runtime.startContainer(pod.id);
    const path = join(pod.sandbox.logDirectory ?? "", "app_0.log");
    await vi.waitFor(async () => expect((await log(pod)).length).toBeGreaterThan(2));
    await rename(path, `${path}.1`);
    await runtime.reopenContainerLog(pod.id);
    await vi.waitFor(async () => expect((await log(pod)).length).toBeGreaterThan(2));
    const first = Number((await log(pod))[0]?.split(" ")[1]);
    expect(first).toBeGreaterThan(2);
    await remove(pod);
  });

  test("environment, folder, mounts and user are as they were asked for", async () => {
    const folder = join(containerd.dir, "volume");
    await mkdir(folder);
    await writeFile(join(folder, "greeting"), "hello");
    const script = [
      "echo $FROM_IMAGE $GREETING",
      "pwd",
      "cat /vol/greeting; echo",
      "touch /vol/x 2>&1",
      "touch /rw/x && echo written",
      "id -u; id -g; id -G",
      "touch /x 2>&1",
    ].join("; ");
    const lines = await output(script, {
      envs: [{ key: "GREETING", value: "grüße" }],
      workingDir: "/data",
      mounts: [
        { containerPath: "/vol", hostPath: folder, readonly: true },
        { containerPath: "/rw", hostPath: folder },
      ],
      linux: { securityContext: { runAsUser: 0, runAsGroup: 7, supplementalGroups: [1234], readonlyRootfs: true } },
    });
    const refused = "Read-only file system";
    expect(lines.map((line) => line.replace("stdout: ", ""))).toEqual([
      "yes grüße",
      "/data",
      "hello",
      `touch: /vol/x: ${refused}`,
      "written",
      "0",
      "7",
      expect.stringMatching(/\b1234\b/),
      `touch: /x: ${refused}`,
    ]);
    expect(existsSync(join(folder, "x"))).toBe(true);
  });

  test("name, DNS, sysctls and capabilities of a sandbox are as they were asked for", async () => {
    const script =
      "hostname; cat /etc/resolv.conf; cat /proc/sys/net/ipv4/ip_local_port_range; grep -E 'CapEff|NoNewPrivs' /proc/self/status; id -u";
    const lines = await output(
      script,
      {
        linux: {
          securityContext: {
            runAsUser: 1000,
            noNewPrivs: true,
            capabilities: { dropCapabilities: ["ALL"] },
            seccomp: { profileType: "RuntimeDefault" },
          },
        },
      },
      {
        hostname: "some-host",
        dnsConfig: { servers: ["10.96.0.10"], searches: ["default.svc.cluster.local"], options: ["ndots:5"] },
        linux: { sysctls: { "net.ipv4.ip_local_port_range": "2000 3000" } },
      },
    );
    expect(lines.map((line) => line.replace("stdout: ", "").replaceAll(/\s+/g, " "))).toEqual([
      "some-host",
      "search default.svc.cluster.local",
      "nameserver 10.96.0.10",
      "options ndots:5",
      "2000 3000",
      "CapEff: 0000000000000000",
      "NoNewPrivs: 1",
      "1000",
    ]);
  });

  test("limits stand in the cgroup below the pod's, and change while it runs", async () => {
    const { runtime } = containerd;
    const pod = await create({
      linux: { resources: { memoryLimitInBytes: 64 * MIB, cpuShares: 512, cpuQuota: 50_000, cpuPeriod: 100_000 } },
    });
    await runtime.startContainer(pod.id);
    const files = { v1: `memory${CGROUP_PARENT}/${pod.id}/memory.limit_in_bytes`, v2: `${CGROUP_PARENT}/${pod.id}/memory.max` };
    const limit = async (): Promise<number> => {
      const path = Object.values(files)
        .map((file) => join("/sys/fs/cgroup", file))
        .find(existsSync);
      return Number(await readFile(path ?? "", "utf8"));
    };
    expect(await limit()).toBe(64 * MIB);
    await runtime.updateContainerResources(pod.id, { memoryLimitInBytes: 96 * MIB });
    expect(await limit()).toBe(96 * MIB);
    // What is looked for at the end can be seen while it is there.
    const kinds = new Set(containerd.remains().map((one) => one.split(" ")[0]?.replace(/\/.*$/s, "cgroup")));
    expect([...kinds].sort()).toEqual(["cgroup", "mount", "process"]);
    await remove(pod);
  });

  test("a container that takes more memory than it may is killed, and says why", async () => {
    const pod = await create({
      command: ["sh", "-c", "head -c 100000000 /dev/zero | tail -c 100000000 | wc -c"],
      linux: { resources: { memoryLimitInBytes: 16 * MIB, memorySwapLimitInBytes: 16 * MIB } },
    });
    await containerd.runtime.startContainer(pod.id);
    await ended(pod.id);
    expect((await containerd.runtime.containerStatus(pod.id)).reason).toBe("OOMKilled");
    await remove(pod);
  });

  test("a command is run over the URL that exec gives", async () => {
    const { runtime } = containerd;
    const pod = await create({});
    await runtime.startContainer(pod.id);
    const url = await runtime.exec({
      containerId: pod.id,
      cmd: ["echo", "from inside"],
      tty: false,
      stdin: false,
      stdout: true,
      stderr: true,
    });
    expect(await webSocketText(url)).toContain("from inside");
    await remove(pod);
  });

  test("an image is pulled by those who may, and one that is nowhere by nobody", async () => {
    const { images } = containerd;
    const guarded = registry.add("guarded", "1", busyboxImage({ Cmd: ["true"] }), "user:secret");
    await expect(images.pullImage({ image: guarded })).rejects.toThrow(/401|authorization|Unauthorized/i);
    await expect(images.pullImage({ image: guarded }, { auth: { username: "user", password: "wrong" } })).rejects.toThrow();
    const ref = await images.pullImage({ image: guarded }, { auth: { username: "user", password: "secret" } });
    expect(await images.imageStatus({ image: guarded })).toMatchObject({ id: ref });
    await images.removeImage({ image: guarded });
    await expect(images.pullImage({ image: `${registry.host}/nowhere:1` })).rejects.toThrow(
      expect.objectContaining({ name: "NotFoundError" }),
    );
  });

  test("containers go on while the runtime is away, and the same client goes on when it is back", async () => {
    const { runtime } = containerd;
    const pod = await create({});
    await runtime.startContainer(pod.id);
    await containerd.kill("SIGKILL");
    // The connection may not be known to have ended yet.
    await expect(runtime.containerStatus(pod.id)).rejects.toThrow(/dial unix .*: connect: |error reading from server: EOF/);
    await containerd.launch();
    await vi.waitFor(async () => expect((await runtime.containerStatus(pod.id)).state).toBe("CONTAINER_RUNNING"));
    expect(String((await runtime.execSync(pod.id, ["echo", "still"], 10)).stdout)).toBe("still\n");
    await remove(pod);
  });
});

test("where no runtime answers, the error says where that was", async () => {
  const channel = new CriChannel("/nowhere/runtime.sock", realClock);
  const failure = "dial unix /nowhere/runtime.sock: connect: no such file or directory";
  await expect(new RemoteRuntime(channel).version()).rejects.toThrow(failure);
  channel.close();
});

/** What comes over a WebSocket until it closes, with the frames' heads. */
function webSocketText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": Buffer.alloc(16).toString("base64"),
      "sec-websocket-protocol": "v4.channel.k8s.io",
    };
    const request = httpRequest(url, { headers });
    request.on("error", reject);
    request.on("upgrade", (_response, socket, head) => {
      const chunks: Buffer[] = [head];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      socket.on("error", reject);
      socket.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
      socket.on("end", () => socket.end());
    });
    request.end();
  });
}
