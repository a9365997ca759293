import { describe, expect, test, vi } from "vitest";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import type { ContainerConfig, ContainerStatus } from "../container.ts";
import { describeImageContract } from "../image-service.contract.ts";
import { describeRuntimeContract } from "../runtime-service.contract.ts";
import { behaviourOf } from "./behaviour.ts";
import { FakeImages } from "./fake-images.ts";
import { FakeRuntime } from "./fake-runtime.ts";
import { PodServer } from "./pod-server.ts";

function newRuntime(): FakeRuntime {
  const ips = { allocateIps: () => ["10.244.0.2"], releaseIp: () => {} };
  return new FakeRuntime({ clock: realClock, random: seededRandom(1), podServer: new PodServer(), ...ips, idPrefix: "a" });
}

describeRuntimeContract("fake", async () => ({ runtime: newRuntime(), image: "registry.k8s.io/pause:3.10", command: [] }));
describeImageContract("fake", async () => {
  return { images: new FakeImages(realClock), name: "registry.example/app:1" };
});

const base = { name: "app", command: [], args: [], labels: {}, annotations: {} };
const cases: readonly (readonly [string, Partial<typeof base>, object])[] = [
  ["a server runs for ever", {}, { runMs: undefined }],
  ["a job's container ends soon", { labels: { "kybern.io/completes": "true" } }, { runMs: 1000, exitCode: 0 }],
  ["sleep is understood", { command: ["sleep", "3600"] as never[] }, { runMs: 3_600_000, exitCode: 0 }],
  ["a script that fails", { command: ["sh", "-c", "sleep 2; exit 3"] as never[] }, { runMs: 2000, exitCode: 3 }],
  [
    "an unknown script of a job",
    { command: ["sh", "-c", "echo hi"] as never[], labels: { "kybern.io/completes": "true" } },
    { runMs: 1000, exitCode: 0 },
  ],
  [
    "annotations decide",
    { annotations: { "kybern.io/simulated-exit-code": "7", "kybern.io/simulated-run-seconds.app": "5" } },
    { runMs: 5000, exitCode: 7 },
  ],
];
test.each(cases)("%s", (_name, container, want) => {
  expect(behaviourOf({ ...base, ...container })).toMatchObject(want);
});

describe("time passes in the fake runtime", () => {
  const start = async (annotations: Record<string, string>) => {
    vi.useFakeTimers();
    const runtime = newRuntime();
    const metadata = { name: "p", namespace: "ns", uid: "u", attempt: 0 };
    const sandbox = await runtime.runPodSandbox({ metadata, hostname: "p", labels: {}, annotations });
    const config = {
      metadata: { name: "app", attempt: 0 },
      image: { image: "i" },
      command: [],
      args: [],
      labels: {},
      annotations: {},
    };
    const id = await runtime.createContainer(sandbox, config);
    await runtime.startContainer(id);
    return { runtime, id };
  };
  const brief = ({ state, exitCode, reason }: ContainerStatus): string =>
    `${state.replace("CONTAINER_", "")} ${exitCode} ${reason}`;

  test("a container that runs for a while ends by itself", async () => {
    const { runtime, id } = await start({ "kybern.io/simulated-run-seconds": "5", "kybern.io/simulated-exit-code": "3" });
    await vi.advanceTimersByTimeAsync(4999);
    expect(brief(await runtime.containerStatus(id))).toBe("RUNNING 0 ");
    await vi.advanceTimersByTimeAsync(1);
    expect(brief(await runtime.containerStatus(id))).toBe("EXITED 3 Error");
    vi.useRealTimers();
  });

  test.each([
    ["in time", 30, 10, "EXITED 143 Error"],
    ["too slow", 5, 5, "EXITED 137 Error"],
    ["at once", 0, 0, "EXITED 137 Error"],
  ])("a container that takes ten seconds to end, %s", async (_name, timeoutSeconds, endsAfterSeconds, want) => {
    const { runtime, id } = await start({ "kybern.io/simulated-stop-seconds": "10" });
    const stopped = runtime.stopContainer(id, timeoutSeconds);
    if (endsAfterSeconds > 0) {
      await vi.advanceTimersByTimeAsync(endsAfterSeconds * 1000 - 1);
      expect(brief(await runtime.containerStatus(id))).toBe("RUNNING 0 ");
      await vi.advanceTimersByTimeAsync(1);
    }
    await stopped;
    expect(brief(await runtime.containerStatus(id))).toBe(want);
    vi.useRealTimers();
  });

  test("a second, shorter time to end counts", async () => {
    const { runtime, id } = await start({ "kybern.io/simulated-stop-seconds": "60" });
    const both = [runtime.stopContainer(id, 30), runtime.stopContainer(id, 2)];
    await vi.advanceTimersByTimeAsync(2000);
    await Promise.all(both);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  test("closing leaves no timer", async () => {
    const { runtime, id } = await start({ "kybern.io/simulated-run-seconds": "60", "kybern.io/simulated-stop-seconds": "60" });
    void runtime.stopContainer(id, 30);
    expect(vi.getTimerCount()).toBe(2);
    runtime.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });
});

describe("a container's own command", () => {
  const run = async (config: Partial<ContainerConfig>, annotations: Record<string, string> = {}) => {
    const runtime = newRuntime();
    const metadata = { name: "p", namespace: "ns", uid: "u", attempt: 0 };
    const sandboxConfig = { metadata, hostname: "p", labels: {}, annotations, logDirectory: "/logs" };
    const sandbox = await runtime.runPodSandbox(sandboxConfig);
    const own = {
      metadata: { name: "app", attempt: 0 },
      image: { image: "i" },
      command: [],
      args: [],
      labels: {},
      annotations: {},
    };
    const id = await runtime.createContainer(sandbox, { ...own, logPath: "app/0.log", ...config });
    const ended = new Promise<void>((resolve) => {
      runtime.getContainerEvents(({ type }) => {
        if (type === "CONTAINER_STOPPED_EVENT") resolve();
      });
    });
    await runtime.startContainer(id);
    const log = await runtime.logFiles.open("/logs/app/0.log");
    const said = async (): Promise<string[]> =>
      (await log.read(0, 10_000))
        .toString()
        .split("\n")
        .map((line) => line.split(" ").slice(1).join(" "))
        .filter((line) => line !== "");
    return { runtime, id, ended, said };
  };

  test("says what it says, on both outputs", async () => {
    const { said, runtime } = await run({
      command: ["sh", "-c", "echo $X; echo oops >&2; printf rest; sleep 60"],
      envs: [{ key: "X", value: "x" }],
    });
    await vi.waitFor(async () => expect(await said()).toEqual(["stdout F x", "stderr F oops"]));
    runtime.close();
    expect(await said()).toEqual(["stdout F x", "stderr F oops", "stdout F rest"]);
  });

  test("says the last word before it ends", async () => {
    const { ended, said } = await run({ command: ["sh", "-c", "sleep 0.05; echo last"] });
    await ended;
    expect(await said()).toEqual(["stdout F last"]);
  });

  test("says what an annotation says", async () => {
    expect(await (await run({}, { "kybern.io/simulated-log-text": "hello" })).said()).toEqual(["stdout F hello"]);
  });

  test("ends a container that can be talked to, and no other", async () => {
    const talking = await run({ command: ["sh", "-c", "exit 3"], stdin: true });
    await talking.ended;
    expect((await talking.runtime.containerStatus(talking.id)).exitCode).toBe(3);
    const other = await run({ command: ["sh", "-c", "echo"] });
    expect((await other.runtime.containerStatus(other.id)).state).toBe("CONTAINER_RUNNING");
    const told = await run({ command: ["sh", "-c", "exit 3"], stdin: true }, { "kybern.io/simulated-run-seconds": "60" });
    expect((await told.runtime.containerStatus(told.id)).state).toBe("CONTAINER_RUNNING");
    told.runtime.close();
  });
});
