import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type PodCluster, podClusterKinds, START_TIMEOUT_MS } from "../support/pod-cluster.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const SOON = { timeout: 40_000, interval: 100 };
const CORE = "/api/v1/namespaces/default";
const UNTIL_TOLD = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"];

/** What upstream's init_container.go, runtime.go, containers_lifecycle_test.go and pods.go of test/e2e look for. */
describe.each(podClusterKinds)("the life of pods on $name", (kind) => {
  let pods: PodCluster;
  let ask: PodCluster["ask"];
  beforeAll(async () => {
    pods = await kind.start();
    ask = pods.ask;
  }, START_TIMEOUT_MS);
  afterAll(() => pods?.stop(), START_TIMEOUT_MS);

  const create = async (name: string, spec: object, annotations: object = {}): Promise<void> => {
    const made = await ask("POST", `${CORE}/pods`, {
      metadata: { name, annotations },
      spec: { terminationGracePeriodSeconds: 3, automountServiceAccountToken: false, ...spec },
    });
    expect(made.status, made.text).toBe(201);
  };
  const podOf = async (name: string): Promise<Any> => (await ask("GET", `${CORE}/pods/${name}`)).body;
  const until = (name: string, want: object) =>
    vi.waitFor(async () => expect((await podOf(name)).status).toMatchObject(want), SOON);
  const container = (name: string, ...script: string[]): object => ({
    name,
    image: pods.image,
    command: script.length === 0 ? UNTIL_TOLD : ["sh", "-c", script.join("; ")],
  });
  const conditions = async (name: string): Promise<Record<string, string>> =>
    Object.fromEntries((await podOf(name)).status.conditions.map(({ type, status }: Any) => [type, status]));
  const events = async (name: string, reason: string): Promise<string[]> =>
    (await ask("GET", `${CORE}/events?fieldSelector=involvedObject.name%3D${name}%2Creason%3D${reason}`)).body.items.map(
      ({ message }: Any) => message,
    );
  const gone = (name: string) =>
    vi.waitFor(async () => expect((await ask("GET", `${CORE}/pods/${name}`)).status).toBe(404), SOON);
  const ended = (statuses: Any[]): Any[] => statuses.map(({ name, state }) => [name, state.terminated?.exitCode]);

  test("containers start again as the pod's policy says", async () => {
    await Promise.all([
      create("always", { restartPolicy: "Always", containers: [container("c", "sleep 1", "exit 0")] }),
      create("on-failure", { restartPolicy: "OnFailure", containers: [container("c", "sleep 1", "exit 1")] }),
      create("never-failed", { restartPolicy: "Never", containers: [container("c", "exit 1")] }),
      create("succeeded", { restartPolicy: "OnFailure", containers: [container("c", "exit 0")] }),
    ]);
    await until("always", {
      phase: "Running",
      containerStatuses: [{ restartCount: 1, lastState: { terminated: { exitCode: 0 } } }],
    });
    await until("on-failure", {
      phase: "Running",
      containerStatuses: [{ restartCount: 1, lastState: { terminated: { exitCode: 1, reason: "Error" } } }],
    });
    await until("never-failed", {
      phase: "Failed",
      containerStatuses: [{ restartCount: 0, state: { terminated: { exitCode: 1, reason: "Error" } } }],
    });
    await until("succeeded", {
      phase: "Succeeded",
      containerStatuses: [{ restartCount: 0, state: { terminated: { exitCode: 0, reason: "Completed" } } }],
    });
    const reason = { state: { waiting: { reason: "CrashLoopBackOff" } } };
    await until("on-failure", { containerStatuses: [reason] });
    expect((await podOf("on-failure")).status.containerStatuses[0].state.waiting.message).toMatch(
      /^back-off 10s restarting failed container=c pod=on-failure_default\([0-9a-f-]+\)$/,
    );
    expect(await conditions("succeeded")).toMatchObject({ Initialized: "True", Ready: "False", ContainersReady: "False" });
  });

  test("init containers run one after the other, before the others, and a failure ends a pod that never restarts", async () => {
    await create("init", {
      restartPolicy: "Never",
      initContainers: [container("one", "exit 0"), container("two", "exit 0")],
      containers: [container("c", "exit 0")],
    });
    await until("init", { phase: "Succeeded" });
    const { status } = await podOf("init");
    expect(ended([...status.initContainerStatuses, ...status.containerStatuses])).toEqual([
      ["one", 0],
      ["two", 0],
      ["c", 0],
    ]);
    const [one, two] = status.initContainerStatuses.map(({ state }: Any) => state.terminated);
    expect(Date.parse(two.startedAt)).toBeGreaterThanOrEqual(Date.parse(one.finishedAt));
    await create("init-fails", {
      restartPolicy: "Never",
      initContainers: [container("one", "exit 1"), container("two", "exit 0")],
      containers: [container("c", "exit 0")],
    });
    await until("init-fails", { phase: "Failed", containerStatuses: [{ state: { waiting: { reason: "PodInitializing" } } }] });
    expect(await conditions("init-fails")).toMatchObject({ Initialized: "False", PodScheduled: "True" });
    await create("init-again", {
      restartPolicy: "Always",
      initContainers: [container("one", "exit 1")],
      containers: [container("c")],
    });
    await until("init-again", { phase: "Pending", initContainerStatuses: [{ restartCount: 1 }] });
  });

  test("sidecars run beside the others, and end after them, the last first", async () => {
    const slowly = ["sh", "-c", "trap 'sleep 1; exit 0' TERM; while :; do sleep 0.1; done"];
    const sidecar = (name: string): object => ({ name, image: pods.image, command: slowly, restartPolicy: "Always" });
    const initContainers = [sidecar("s1"), container("init", "exit 0"), sidecar("s2")];
    // Simulated containers take no heed of traps.
    const annotations = { "kybern.io/simulated-stop-seconds": "1" };
    await create("sidecars", { terminationGracePeriodSeconds: 30, initContainers, containers: [container("c")] }, annotations);
    await until("sidecars", {
      phase: "Running",
      initContainerStatuses: [{ started: true, ready: true }, { state: { terminated: { exitCode: 0 } } }, { started: true }],
      containerStatuses: [{ ready: true }],
    });
    const ends: string[] = [];
    const watching = (async () => {
      const signal = AbortSignal.timeout(30_000);
      const options = { fieldSelector: "metadata.name=sidecars", signal };
      const id = { group: "", version: "v1", resource: "pods" };
      for await (const batch of pods.cluster.client.watch<Any>(id, "default", options)) {
        for (const { type, object } of batch) {
          const all = [...(object.status.containerStatuses ?? []), ...(object.status.initContainerStatuses ?? [])];
          for (const { name, state } of all) if (state.terminated !== undefined && !ends.includes(name)) ends.push(name);
          if (type === "DELETED") return;
        }
      }
    })();
    await ask("DELETE", `${CORE}/pods/sidecars`);
    await watching;
    expect(ends.filter((name) => name !== "init")).toEqual(["c", "s2", "s1"]);
    await create("job", { restartPolicy: "Never", initContainers: [sidecar("s")], containers: [container("c", "sleep 1")] });
    await until("job", { phase: "Succeeded", initContainerStatuses: [{ state: { terminated: {} } }] });
  });

  test("a pod past its deadline fails, and rules of containers stand above the pod's policy", async () => {
    const rule = { action: "Restart", exitCodes: { operator: "In", values: [42] } };
    const ruled = { ...container("c", "sleep 1", "exit 42"), restartPolicy: "Never", restartPolicyRules: [rule] };
    const all = { action: "RestartAllContainers", exitCodes: { operator: "In", values: [43] } };
    const cause = { ...container("c", "sleep 2", "exit 43"), restartPolicy: "Never", restartPolicyRules: [all] };
    await Promise.all([
      create("deadline", { activeDeadlineSeconds: 3, containers: [container("c")] }),
      create("ruled", { restartPolicy: "Never", containers: [ruled] }),
      create("all-again", {
        restartPolicy: "Never",
        initContainers: [container("i", "exit 0")],
        containers: [cause, container("d")],
      }),
    ]);
    await until("deadline", { phase: "Failed", reason: "DeadlineExceeded" });
    await until("ruled", { phase: "Running", containerStatuses: [{ restartCount: 1 }] });
    await until("all-again", {
      initContainerStatuses: [{ restartCount: 1 }],
      containerStatuses: [
        { name: "c", restartCount: 1 },
        { name: "d", restartCount: 1 },
      ],
    });
  });

  test("a container for debugging joins a pod that runs, and its end is not the pod's", async () => {
    await create("debugged", { containers: [container("c")] });
    await until("debugged", { phase: "Running" });
    const debug = { ...container("debug", "echo looked", "exit 3"), targetContainerName: "c" };
    const patched = await ask(
      "PATCH",
      `${CORE}/pods/debugged/ephemeralcontainers`,
      { spec: { ephemeralContainers: [debug] } },
      { "content-type": "application/strategic-merge-patch+json" },
    );
    expect(patched.status, patched.text).toBe(200);
    await until("debugged", { phase: "Running", ephemeralContainerStatuses: [{ state: { terminated: { exitCode: 3 } } }] });
    expect((await ask("GET", `${CORE}/pods/debugged/log?container=debug`)).text).toBe("looked\n");
  });

  test("hooks may sleep, and a container that does not listen is killed when its time is over", async () => {
    const deaf = { name: "c", image: pods.image, command: ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"] };
    const sleeps = { preStop: { sleep: { seconds: 2 } } };
    await Promise.all([
      create("deaf", { terminationGracePeriodSeconds: 2, containers: [deaf] }),
      create("slow", { terminationGracePeriodSeconds: 20, containers: [{ ...container("c"), lifecycle: sleeps }] }),
    ]);
    await Promise.all([until("deaf", { phase: "Running" }), until("slow", { phase: "Running" })]);
    const beganMs = performance.now();
    await Promise.all(["deaf", "slow"].map((name) => ask("DELETE", `${CORE}/pods/${name}`)));
    await gone("slow");
    expect(performance.now() - beganMs).toBeGreaterThan(1900);
    await gone("deaf");
    expect(await events("slow", "Killing")).toEqual(["Stopping container c"]);
  });

  test("a pod's resources change while it runs, or wait until the node can give them", async () => {
    const amounts = (cpu: string): object => ({ requests: { cpu, memory: "32Mi" }, limits: { cpu, memory: "32Mi" } });
    await create("resized", { containers: [{ ...container("c"), resources: amounts("100m") }] });
    await until("resized", { phase: "Running", containerStatuses: [{ resources: amounts("100m") }] });
    const { containerID } = (await podOf("resized")).status.containerStatuses[0];
    const resize = (cpu: string) =>
      ask(
        "PATCH",
        `${CORE}/pods/resized/resize`,
        { spec: { containers: [{ name: "c", resources: amounts(cpu) }] } },
        { "content-type": "application/strategic-merge-patch+json" },
      );
    expect((await resize("200m")).status).toBe(200);
    await until("resized", { containerStatuses: [{ containerID, restartCount: 0, resources: amounts("200m") }] });
    const taker = { ...container("c"), resources: { requests: { cpu: "6" } } };
    await create("taker", { terminationGracePeriodSeconds: 1, containers: [taker] });
    await until("taker", { phase: "Running" });
    expect((await resize("3")).status).toBe(200);
    await vi.waitFor(async () => {
      const pending = (await podOf("resized")).status.conditions.find(({ type }: Any) => type === "PodResizePending");
      expect(pending).toMatchObject({ status: "True", reason: "Deferred" });
    }, SOON);
    expect((await podOf("resized")).status.containerStatuses).toMatchObject([{ resources: amounts("200m") }]);
    await ask("DELETE", `${CORE}/pods/taker`);
    await until("resized", { containerStatuses: [{ containerID, resources: amounts("3") }] });
    await vi.waitFor(async () => {
      expect((await podOf("resized")).status.conditions.map(({ type }: Any) => type)).not.toContain("PodResizePending");
    }, SOON);
  });

  test("readiness gates hold a pod back until somebody opens them", async () => {
    await create("gated", { readinessGates: [{ conditionType: "example.com/gate" }], containers: [container("c")] });
    await until("gated", { phase: "Running", containerStatuses: [{ ready: true }] });
    expect(await conditions("gated")).toMatchObject({
      ContainersReady: "True",
      Ready: "False",
      PodReadyToStartContainers: "True",
    });
    const gate = { type: "example.com/gate", status: "True" };
    await ask(
      "PATCH",
      `${CORE}/pods/gated/status`,
      { status: { conditions: [gate] } },
      { "content-type": "application/strategic-merge-patch+json" },
    );
    await vi.waitFor(async () => expect(await conditions("gated")).toMatchObject({ Ready: "True" }), SOON);
  });
});
