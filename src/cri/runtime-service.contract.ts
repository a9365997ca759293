import { afterEach, describe, expect, test, vi } from "vitest";
import { systemRandom } from "#base/random.ts";
import type { ContainerConfig } from "./container.ts";
import { UnimplementedError } from "./cri-error.ts";
import type { PodSandboxConfig } from "./pod-sandbox.ts";
import type { ContainerEvent, RuntimeService } from "./runtime-service.ts";

/** The pods' cgroup. Runtimes make it where it is not there, and leave it. */
export const CGROUP_PARENT: string = `/kybern-contract-${systemRandom.uuid().slice(0, 8)}`;

const sandboxConfig: PodSandboxConfig = {
  metadata: { name: "web", namespace: "default", uid: "u1", attempt: 0 },
  hostname: "web",
  labels: { app: "web" },
  annotations: { note: "x" },
  linux: { cgroupParent: CGROUP_PARENT },
};

/** A runtime with an image, and a command in it that goes on until it is asked to end. */
export interface RuntimeUnderTest {
  readonly runtime: RuntimeService;
  readonly image: string;
  readonly command: readonly string[];
}

/** What every container runtime has to do; `make` gives one without sandboxes. Containerd tells events from 1.7 on; one that does not has to say so. */
export function describeRuntimeContract(
  name: string,
  make: () => Promise<RuntimeUnderTest>,
  { hasEvents = true }: { hasEvents?: boolean } = {},
): void {
  describe(`runtime service: ${name}`, () => {
    let made: RuntimeService[] = [];
    afterEach(async () => {
      for (const runtime of made) for (const { id } of await runtime.listPodSandbox()) await runtime.removePodSandbox(id);
      made = [];
    });
    const begin = async (): Promise<{ runtime: RuntimeService; config: ContainerConfig }> => {
      const { runtime, image, command } = await make();
      made.push(runtime);
      const metadata = { name: "app", attempt: 0 };
      const labels = { tier: "front" };
      return { runtime, config: { metadata, image: { image }, command, args: [], labels, annotations: { note: "y" } } };
    };
    /** A container that was created, in a sandbox of its own. */
    const create = async (
      more: Partial<ContainerConfig> = {},
    ): Promise<{ runtime: RuntimeService; sandbox: string; id: string }> => {
      const { runtime, config } = await begin();
      const sandbox = await runtime.runPodSandbox(sandboxConfig);
      return { runtime, sandbox, id: await runtime.createContainer(sandbox, { ...config, ...more }, sandboxConfig) };
    };

    test("it tells what it is and how it is", async () => {
      const { runtime } = await begin();
      expect(await runtime.version()).toMatchObject({ runtimeName: expect.stringMatching(/./), runtimeApiVersion: "v1" });
      const { conditions } = await runtime.status();
      for (const type of ["RuntimeReady", "NetworkReady"])
        expect(conditions).toContainEqual(expect.objectContaining({ type, status: true }));
      const driver = await runtime.cgroupDriver().catch((error: Error) => error);
      expect(driver instanceof UnimplementedError || driver === "CGROUPFS").toBe(true);
      await runtime.updatePodCidr("10.253.0.0/24");
    });

    test("a sandbox is ready with an address until it is stopped, and gone when it is removed", async () => {
      const { runtime } = await begin();
      const id = await runtime.runPodSandbox(sandboxConfig);
      const { metadata, labels, annotations } = sandboxConfig;
      const ready = { id, metadata, labels, annotations: expect.objectContaining(annotations), state: "SANDBOX_READY" };
      expect(await runtime.podSandboxStatus(id)).toMatchObject({ ...ready, ip: expect.stringMatching(/^[0-9a-f.:]+$/) });
      expect(await runtime.listPodSandbox()).toMatchObject([ready]);
      await runtime.stopPodSandbox(id);
      expect((await runtime.podSandboxStatus(id)).state).toBe("SANDBOX_NOTREADY");
      await runtime.removePodSandbox(id);
      expect(await runtime.listPodSandbox()).toEqual([]);
      await expect(runtime.podSandboxStatus(id)).rejects.toThrow(expect.objectContaining({ name: "NotFoundError" }));
    });

    test("a sandbox with the host's network has no address", async () => {
      const { runtime } = await begin();
      const linux = { ...sandboxConfig.linux, securityContext: { namespaceOptions: { network: "NODE" } } } as const;
      const id = await runtime.runPodSandbox({ ...sandboxConfig, hostname: "", linux });
      expect(await runtime.podSandboxStatus(id)).toMatchObject({ ip: "", additionalIps: [] });
    });

    test("a container is created, runs, and exits when it is stopped", async () => {
      const { runtime, sandbox, id } = await create();
      const before = await runtime.containerStatus(id);
      expect(before).toMatchObject({ state: "CONTAINER_CREATED", startedAtMs: undefined, finishedAtMs: undefined });
      await runtime.startContainer(id);
      const container = { id, metadata: { name: "app", attempt: 0 }, labels: { tier: "front" }, state: "CONTAINER_RUNNING" };
      expect(await runtime.containerStatus(id)).toMatchObject({ ...container, startedAtMs: expect.any(Number) });
      expect(await runtime.listContainers()).toMatchObject([{ ...container, sandboxId: sandbox }]);
      expect(await runtime.containerStatuses()).toMatchObject([{ ...container, sandboxId: sandbox }]);
      await runtime.stopContainer(id, 30);
      const ended = await runtime.containerStatus(id);
      expect(ended).toMatchObject({
        state: "CONTAINER_EXITED",
        finishedAtMs: expect.any(Number),
        reason: "Error",
        exitCode: 143,
      });
      expect(Math.abs((ended.finishedAtMs ?? 0) - ended.createdAtMs)).toBeLessThan(60_000);
    });

    test("sandboxes and containers are listed by what they are", async () => {
      const { runtime, sandbox, id } = await create();
      const ids = async (list: Promise<readonly { readonly id: string }[]>): Promise<string[]> =>
        (await list).map((one) => one.id);
      expect(await ids(runtime.listPodSandbox({ id: sandbox, state: "SANDBOX_READY" }))).toEqual([sandbox]);
      expect(await ids(runtime.listPodSandbox({ labelSelector: { app: "web" } }))).toEqual([sandbox]);
      expect(await ids(runtime.listPodSandbox({ labelSelector: { app: "other" } }))).toEqual([]);
      expect(await ids(runtime.listPodSandbox({ state: "SANDBOX_NOTREADY" }))).toEqual([]);
      expect(await ids(runtime.listContainers({ sandboxId: sandbox, state: "CONTAINER_CREATED" }))).toEqual([id]);
      expect(await ids(runtime.listContainers({ labelSelector: { tier: "front" } }))).toEqual([id]);
      expect(await ids(runtime.listContainers({ state: "CONTAINER_RUNNING" }))).toEqual([]);
      expect(await ids(runtime.containerStatuses({ sandboxId: "none" }))).toEqual([]);
    });

    test("stopping a sandbox stops its containers, removing it removes them", async () => {
      const { runtime, sandbox, id } = await create();
      await runtime.startContainer(id);
      await runtime.stopPodSandbox(sandbox);
      expect((await runtime.containerStatus(id)).state).toBe("CONTAINER_EXITED");
      await runtime.removePodSandbox(sandbox);
      expect(await runtime.listContainers()).toEqual([]);
    });

    test("stopping and removing what is not there is no error, anything else is", async () => {
      const { runtime, config } = await begin();
      await runtime.stopContainer("none", 0);
      await runtime.removeContainer("none");
      await runtime.stopPodSandbox("none");
      await runtime.removePodSandbox("none");
      await expect(runtime.containerStatus("none")).rejects.toThrow(expect.objectContaining({ name: "NotFoundError" }));
      await expect(runtime.createContainer("none", config, sandboxConfig)).rejects.toThrow();
    });

    test("commands run in containers that run, and nowhere else", async () => {
      const { runtime, sandbox, id } = await create();
      const streams = { containerId: id, tty: false, stdin: false, stdout: true, stderr: true };
      await expect(runtime.execSync(id, ["echo"], 5)).rejects.toThrow();
      await runtime.startContainer(id);
      const { stdout, stderr, exitCode } = await runtime.execSync(id, ["sh", "-c", "echo out; echo err >&2; exit 3"], 5);
      expect([String(stdout), String(stderr), exitCode]).toEqual(["out\n", "err\n", 3]);
      await expect(runtime.execSync(id, ["sleep", "60"], 0.05)).rejects.toThrow(/timed out|deadline/i);
      const urls = [
        await runtime.exec({ ...streams, cmd: ["ls"] }),
        await runtime.attach(streams),
        await runtime.portForward({ podSandboxId: sandbox, ports: [] }),
      ];
      for (const url of urls) expect(URL.canParse(url)).toBe(true);
      await expect(runtime.exec({ ...streams, stdout: false, stderr: false, cmd: ["ls"] })).rejects.toThrow();
      await runtime.stopContainer(id, 0);
      await expect(runtime.exec({ ...streams, cmd: ["ls"] })).rejects.toThrow();
      await expect(runtime.attach(streams)).rejects.toThrow();
    });

    test("resources are changed while it runs, and its usage is told", async () => {
      const linux = { resources: { memoryLimitInBytes: 64 * 1024 * 1024, cpuShares: 512 } };
      const { runtime, sandbox, id } = await create({ linux });
      await runtime.startContainer(id);
      await runtime.updateContainerResources(id, { memoryLimitInBytes: 96 * 1024 * 1024 });
      // What a container has is not told by runtimes of before CRI 1.25.
      const { resources } = await runtime.containerStatus(id);
      if (resources !== undefined) expect(resources).toMatchObject({ memoryLimitInBytes: 96 * 1024 * 1024, cpuShares: 512 });
      const pod = runtime.updatePodSandboxResources(sandbox, { resources: { memoryLimitInBytes: 128 * 1024 * 1024 } });
      await pod.catch((error: Error) => expect(error).toBeInstanceOf(UnimplementedError));
      const metadata = { name: "app", attempt: 0 };
      const used = { id, metadata, memory: { workingSetBytes: expect.any(Number) }, cpu: { timestampMs: expect.any(Number) } };
      expect(await runtime.containerStats(id)).toMatchObject(used);
      expect(await runtime.listContainerStats({ sandboxId: sandbox })).toMatchObject([used]);
      expect(await runtime.podSandboxStats(sandbox)).toMatchObject({
        id: sandbox,
        metadata: sandboxConfig.metadata,
        containers: [used],
      });
      expect(await runtime.listPodSandboxStats()).toMatchObject([{ id: sandbox }]);
      await expect(runtime.containerStats("none")).rejects.toThrow();
    });

    if (!hasEvents) {
      test("that changes are not told is said", async () => {
        const { runtime } = await begin();
        const end = await new Promise((resolve) => runtime.getContainerEvents(() => undefined, resolve));
        expect(end).toBeInstanceOf(UnimplementedError);
      });
      return;
    }

    test("every change of a container is told", async () => {
      const { runtime, config } = await begin();
      const events: ContainerEvent[] = [];
      const ends: Error[] = [];
      const stop = runtime.getContainerEvents(
        (event) => events.push(event),
        (error) => ends.push(error),
      );
      const sandbox = await runtime.runPodSandbox(sandboxConfig);
      const id = await runtime.createContainer(sandbox, config, sandboxConfig);
      await runtime.startContainer(id);
      await runtime.stopContainer(id, 0);
      await runtime.removeContainer(id);
      const types = (): string[] => events.filter(({ containerId }) => containerId === id).map(({ type }) => type);
      await vi.waitFor(() => expect(types()).toHaveLength(4), { timeout: 10_000 });
      stop();
      expect(types()).toEqual([
        "CONTAINER_CREATED_EVENT",
        "CONTAINER_STARTED_EVENT",
        "CONTAINER_STOPPED_EVENT",
        "CONTAINER_DELETED_EVENT",
      ]);
      expect(ends).toEqual([]);
    });
  });
}
