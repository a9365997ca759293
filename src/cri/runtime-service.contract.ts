import { describe, expect, test } from "vitest";
import type { ContainerConfig, ContainerEvent, PodSandboxConfig, RuntimeService } from "./runtime-service.ts";

const sandboxConfig: PodSandboxConfig = {
  metadata: { name: "web", namespace: "default", uid: "u1", attempt: 0 },
  hostname: "web",
  labels: {},
  annotations: {},
  hostNetwork: false,
};
const containerConfig: ContainerConfig = {
  metadata: { name: "app", attempt: 0 },
  image: "registry.k8s.io/pause:3.10",
  command: [],
  args: [],
  labels: {},
  annotations: {},
};

/** What every container runtime has to do; `make` gives a fresh one without sandboxes. */
export function describeRuntimeContract(name: string, make: () => Promise<RuntimeService>): void {
  describe(`runtime service: ${name}`, () => {
    test("a sandbox is ready with an address until it is stopped, and gone when it is removed", async () => {
      const runtime = await make();
      const id = await runtime.runPodSandbox(sandboxConfig);
      expect(await runtime.podSandboxStatus(id)).toMatchObject({ state: "SANDBOX_READY", ip: expect.stringMatching(/./) });
      await runtime.stopPodSandbox(id);
      expect((await runtime.podSandboxStatus(id)).state).toBe("SANDBOX_NOTREADY");
      await runtime.removePodSandbox(id);
      expect(await runtime.listPodSandbox()).toEqual([]);
      await expect(runtime.podSandboxStatus(id)).rejects.toThrow();
    });

    test("a container is created, runs, and exits when it is stopped", async () => {
      const runtime = await make();
      const sandbox = await runtime.runPodSandbox(sandboxConfig);
      const id = await runtime.createContainer(sandbox, containerConfig);
      expect((await runtime.containerStatus(id)).state).toBe("CONTAINER_CREATED");
      await runtime.startContainer(id);
      expect((await runtime.containerStatus(id)).state).toBe("CONTAINER_RUNNING");
      await runtime.stopContainer(id, 30);
      expect(await runtime.containerStatus(id)).toMatchObject({ state: "CONTAINER_EXITED", finishedAtMs: expect.any(Number) });
    });

    test("stopping a sandbox stops its containers, removing it removes them", async () => {
      const runtime = await make();
      const sandbox = await runtime.runPodSandbox(sandboxConfig);
      const id = await runtime.createContainer(sandbox, containerConfig);
      await runtime.startContainer(id);
      await runtime.stopPodSandbox(sandbox);
      expect((await runtime.containerStatus(id)).state).toBe("CONTAINER_EXITED");
      await runtime.removePodSandbox(sandbox);
      expect(await runtime.listContainers()).toEqual([]);
    });

    test("stopping and removing what is not there is no error, anything else is", async () => {
      const runtime = await make();
      await runtime.stopContainer("none", 0);
      await runtime.removeContainer("none");
      await runtime.removePodSandbox("none");
      await expect(runtime.containerStatus("none")).rejects.toThrow();
      await expect(runtime.createContainer("none", containerConfig)).rejects.toThrow();
    });

    test("commands run in containers that run, and nowhere else", async () => {
      const runtime = await make();
      const sandbox = await runtime.runPodSandbox(sandboxConfig);
      const id = await runtime.createContainer(sandbox, containerConfig);
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

    test("every change of a container is told", async () => {
      const runtime = await make();
      const events: ContainerEvent["type"][] = [];
      const stop = runtime.getContainerEvents((event) => events.push(event.type));
      const sandbox = await runtime.runPodSandbox(sandboxConfig);
      const id = await runtime.createContainer(sandbox, containerConfig);
      await runtime.startContainer(id);
      await runtime.stopContainer(id, 0);
      await runtime.removeContainer(id);
      stop();
      expect(events).toEqual([
        "CONTAINER_CREATED_EVENT",
        "CONTAINER_STARTED_EVENT",
        "CONTAINER_STOPPED_EVENT",
        "CONTAINER_DELETED_EVENT",
      ]);
    });
  });
}
