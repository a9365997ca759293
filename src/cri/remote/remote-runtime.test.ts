import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { realClock } from "#base/clock.ts";
import type { ContainerEvent } from "../runtime-service.ts";
import { CriChannel } from "./cri-channel.ts";
import { RemoteImages } from "./remote-images.ts";
import { RemoteRuntime } from "./remote-runtime.ts";
import { Failure, ScriptedRuntime } from "./scripted-runtime.ts";

let dir: string;
let server: ScriptedRuntime;
let channel: CriChannel;
let runtime: RemoteRuntime;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "kybern-cri-"));
  const socket = join(dir, "r.sock");
  server = new ScriptedRuntime();
  await server.listen(socket);
  channel = new CriChannel(socket, realClock);
  runtime = new RemoteRuntime(channel);
});
afterEach(async () => {
  channel.close();
  await server[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

const failing = (code: number) => (): never => {
  throw new Failure(code, "told so");
};
const sandboxConfig = {
  metadata: { name: "p", namespace: "ns", uid: "u", attempt: 1 },
  hostname: "p",
  labels: {},
  annotations: {},
};

test("a container is made with all that was asked for, and with its sandbox's configuration", async () => {
  server.on("CreateContainer", () => ({ containerId: "c1" }));
  const config = {
    metadata: { name: "app", attempt: 2 },
    image: { image: "sha256:1", userSpecifiedImage: "app:1" },
    command: ["run"],
    args: ["--fast"],
    labels: { a: "b" },
    annotations: {},
    envs: [{ key: "A", value: "ü" }],
    mounts: [{ containerPath: "/x", hostPath: "/y", readonly: true, propagation: "PROPAGATION_HOST_TO_CONTAINER" }],
    devices: [{ containerPath: "/dev/x", hostPath: "/dev/y", permissions: "rw" }],
    logPath: "0.log",
    linux: {
      resources: { cpuShares: 2, memoryLimitInBytes: 2 ** 40, hugepageLimits: [{ pageSize: "2Mi", limit: 4 }] },
      securityContext: {
        runAsUser: 0,
        capabilities: { addCapabilities: ["NET_ADMIN"] },
        namespaceOptions: { pid: "TARGET", targetId: "c0" },
      },
    },
  } as const;
  expect(await runtime.createContainer("s1", config, sandboxConfig)).toBe("c1");
  expect(server.asked).toMatchObject([
    {
      path: "/runtime.v1.RuntimeService/CreateContainer",
      request: { podSandboxId: "s1", config: { ...config, envs: [{ key: "A", value: Buffer.from("ü") }] }, sandboxConfig },
    },
  ]);
});

test("what was not told of a container's times is undefined", async () => {
  server.on("ListContainers", () => ({ containers: [{ id: "c1", podSandboxId: "s1", metadata: { name: "app" } }] }));
  server.on("ContainerStatus", () => ({
    status: { id: "c1", state: "CONTAINER_RUNNING" as const, createdAt: 1.5000000001239e18, startedAt: 2e18 },
  }));
  expect(await runtime.containerStatus("c1")).toMatchObject({
    sandboxId: "s1",
    createdAtMs: 1_500_000_000_123,
    startedAtMs: 2e12,
    finishedAtMs: undefined,
  });
});

test("containers that go while they are looked at are left out", async () => {
  server.on("ListContainers", () => ({ containers: [{ id: "c1" }, { id: "c2" }] }));
  server.on("ContainerStatus", ({ containerId }) => (containerId === "c1" ? failing(5)() : { status: { id: containerId } }));
  expect(await runtime.containerStatuses({ state: "CONTAINER_EXITED" })).toMatchObject([{ id: "c2" }]);
  expect(server.asked[0]).toMatchObject({ request: { filter: { state: { state: "CONTAINER_EXITED" } } } });
});

test("stopping and removing what is not there is no error", async () => {
  for (const method of ["StopPodSandbox", "RemovePodSandbox", "StopContainer", "RemoveContainer"] as const)
    server.on(method, failing(5));
  await runtime.stopPodSandbox("none");
  await runtime.removePodSandbox("none");
  await runtime.stopContainer("none", 1);
  await runtime.removeContainer("none");
  expect(server.asked).toHaveLength(4);
});

const errors: readonly (readonly [number, string])[] = [
  [5, "NotFoundError"],
  [12, "UnimplementedError"],
  [2, "GrpcError"],
];
test.each(errors)("status %d of gRPC is a %s", async (code, name) => {
  server.on("RuntimeConfig", failing(code));
  await expect(runtime.cgroupDriver()).rejects.toThrow(expect.objectContaining({ name, message: "told so" }));
});

test("parts of seconds count as whole ones, and no time is no time", async () => {
  server.on("ExecSync", () => ({ stdout: Buffer.from("o"), exitCode: 7 }));
  server.on("StopContainer", () => ({}));
  expect(await runtime.execSync("c1", ["a"], 0.2)).toEqual({ stdout: Buffer.from("o"), stderr: Buffer.alloc(0), exitCode: 7 });
  await runtime.execSync("c1", ["a"], 0);
  await runtime.stopContainer("c1", -3);
  expect(server.asked.map(({ request }) => (request as { readonly timeout: number }).timeout)).toEqual([1, 0, 0]);
});

test("events are told until the runtime ends them", async () => {
  const sandbox = { podSandboxStatus: { id: "s1" } };
  server.onEvents([{ containerId: "c1", containerEventType: "CONTAINER_STOPPED_EVENT", ...sandbox }], false);
  const events: ContainerEvent[] = [];
  const error = await new Promise<Error>((resolve) => runtime.getContainerEvents((event) => events.push(event), resolve));
  expect(events).toEqual([{ containerId: "c1", sandboxId: "s1", type: "CONTAINER_STOPPED_EVENT" }]);
  expect(error.message).toBe("the server ended the stream");
});

test("events end without a word when they are no longer wanted", async () => {
  server.onEvents([{ containerId: "c1" }, { containerId: "c2" }], true);
  const told = vi.fn();
  const onEnd = vi.fn();
  await new Promise<void>((resolve) => {
    const stop = runtime.getContainerEvents(() => {
      told();
      stop();
      resolve();
    }, onEnd);
  });
  await runtime.version().catch(() => undefined);
  expect(told).toHaveBeenCalledTimes(1);
  expect(onEnd).not.toHaveBeenCalled();
});

test("who is too old for events says so", async () => {
  const error = await new Promise<Error>((resolve) => runtime.getContainerEvents(() => undefined, resolve));
  expect(error.name).toBe("UnimplementedError");
});

test("images are asked for by the image service", async () => {
  const images = new RemoteImages(channel);
  server.on("ImageStatus", () => ({}));
  server.on("PullImage", () => ({ imageRef: "sha256:1" }));
  expect(await images.imageStatus({ image: "a" })).toBeUndefined();
  expect(await images.pullImage({ image: "a" }, { auth: { username: "u", password: "p" }, sandbox: sandboxConfig })).toBe(
    "sha256:1",
  );
  expect(server.asked).toMatchObject([
    { path: "/runtime.v1.ImageService/ImageStatus" },
    { request: { auth: { username: "u", password: "p" }, sandboxConfig } },
  ]);
});

test("stats come with what was measured, and 0 is not nothing", async () => {
  const cpu = { timestamp: 5e15, usageNanoCores: 0, psi: { some: { total: 7, avg10: 0.5 } } };
  server.on("ContainerStats", () => ({ stats: { attributes: { id: "c1", metadata: { name: "app" } }, cpu } }));
  expect(await runtime.containerStats("c1")).toMatchObject({
    id: "c1",
    metadata: { name: "app", attempt: 0 },
    cpu: {
      timestampMs: 5e9,
      usageNanoCores: 0,
      usageCoreNanoSeconds: undefined,
      psi: { some: { total: 7, avg10: 0.5 }, full: undefined },
    },
    memory: undefined,
  });
});
