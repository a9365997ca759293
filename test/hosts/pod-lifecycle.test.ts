import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { cgroupRoots } from "../support/namespaces.ts";
import { busyboxImage } from "../support/oci-image.ts";
import { type PodCluster, podClusterKinds, START_TIMEOUT_MS } from "../support/pod-cluster.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const SOON = { timeout: 60_000, interval: 100 };
const CORE = "/api/v1/namespaces/default";
const PODS = { group: "", version: "v1", resource: "pods" };
const CLASSES = "/apis/node.k8s.io/v1/runtimeclasses";
const URL = "http://manifests.example/pods.yaml";
const STRATEGIC = { "content-type": "application/strategic-merge-patch+json" } as const;
/** How many updates of a spec come one after the other; as many on real nodes as in upstream's pod_generation_test.go. */
const UPDATES = { real: 500, simulated: 50 };
const script = (...lines: string[]): object => ({ command: ["sh", "-c", lines.join("\n")] });

/** A pod, and what must come of it. */
interface LifeCase {
  readonly name: string;
  /** The pod's spec; `container` stands for its one container `c`. */
  readonly spec: Any;
  /** What its status comes to. */
  readonly comes: object;
  /** All that its container says. */
  readonly says?: string | RegExp;
  /** Events among those that are told: `REASON MESSAGE`. */
  readonly told?: readonly (string | RegExp)[];
  /** No image is there on simulated nodes, nor anything else of a machine. */
  readonly isRealOnly?: true;
}

const ended = (phase: string, terminated: object): object => ({ phase, containerStatuses: [{ state: { terminated } }] });
const succeeded = ended("Succeeded", { exitCode: 0, reason: "Completed" });
const never = { restartPolicy: "Never" };
const both = { cpu: "10m", memory: "16Mi" };
const from = (fieldPath: string): object => ({ valueFrom: { fieldRef: { fieldPath } } });
const amount = (resource: string, divisor: string): object => ({ valueFrom: { resourceFieldRef: { resource, divisor } } });
/** An image that says `entry` and the words behind it; by default `image`. */
const SAYS = "says:1";

const cases: readonly LifeCase[] = [
  {
    name: "limits that are requests make a pod guaranteed",
    spec: { container: { resources: { requests: both, limits: both } } },
    comes: { phase: "Running", qosClass: "Guaranteed" },
  },
  {
    name: "requests make a pod burstable",
    spec: { container: { resources: { requests: both } } },
    comes: { phase: "Running", qosClass: "Burstable" },
  },
  { name: "nothing makes a pod best effort", spec: { container: {} }, comes: { phase: "Running", qosClass: "BestEffort" } },
  {
    name: "a deadline ends a pod as failed",
    spec: { activeDeadlineSeconds: 2, container: {} },
    comes: {
      phase: "Failed",
      reason: "DeadlineExceeded",
      message: "Pod was active on the node longer than the specified deadline",
      containerStatuses: [{ ready: false, state: { terminated: {} } }],
    },
    told: ["DeadlineExceeded Pod was active on the node longer than the specified deadline"],
  },
  {
    name: "a deadline ends a pod that has not begun, whose container is told of as lost",
    spec: {
      activeDeadlineSeconds: 2,
      container: { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "none", key: "k" } } }] },
    },
    comes: {
      phase: "Failed",
      reason: "DeadlineExceeded",
      containerStatuses: [
        {
          state: {
            terminated: {
              exitCode: 137,
              reason: "ContainerStatusUnknown",
              message: "The container could not be located when the pod was terminated",
            },
          },
        },
      ],
    },
  },
  {
    name: "fields and resources of a pod are in its variables",
    spec: {
      ...never,
      container: {
        ...script('echo "$NODE" "$ACCOUNT" "$ID" "$HOSTS" "$IPS"', 'echo "$CPU" "$MEMORY" "$DISK"'),
        env: [
          { name: "NODE", ...from("spec.nodeName") },
          { name: "ACCOUNT", ...from("spec.serviceAccountName") },
          { name: "ID", ...from("metadata.uid") },
          { name: "HOSTS", ...from("status.hostIPs") },
          { name: "IPS", ...from("status.podIPs") },
          { name: "CPU", ...amount("requests.cpu", "1m") },
          { name: "MEMORY", ...amount("limits.memory", "1Mi") },
          { name: "DISK", ...amount("limits.ephemeral-storage", "1Gi") },
        ],
        resources: { requests: { cpu: "10m" }, limits: { memory: "64Mi", "ephemeral-storage": "2Gi" } },
      },
    },
    comes: succeeded,
    says: /^(real|node)-0 default [0-9a-f-]{36} [0-9.]+ [0-9.]+\n10 64 2\n$/,
  },
  {
    name: "variables of a file that an init container writes",
    spec: {
      ...never,
      volumes: [{ name: "v", emptyDir: {} }],
      initContainers: [
        {
          name: "i",
          image: "busybox:2",
          ...script("echo \"A='one' # why\nB='two\nthree'\" > /v/env"),
          volumeMounts: [{ name: "v", mountPath: "/v" }],
        },
      ],
      container: {
        ...script('echo "$A $B $C"'),
        env: [
          { name: "A", valueFrom: { fileKeyRef: { volumeName: "v", path: "env", key: "A" } } },
          { name: "B", valueFrom: { fileKeyRef: { volumeName: "v", path: "env", key: "B" } } },
          { name: "C", valueFrom: { fileKeyRef: { volumeName: "v", path: "env", key: "C", optional: true } } },
        ],
      },
    },
    comes: succeeded,
    says: "one two\nthree \n",
    isRealOnly: true,
  },
  {
    name: "a variable that its file does not have",
    spec: {
      volumes: [{ name: "v", emptyDir: {} }],
      container: {
        volumeMounts: [{ name: "v", mountPath: "/v" }],
        env: [{ name: "A", valueFrom: { fileKeyRef: { volumeName: "v", path: "env", key: "A" } } }],
      },
    },
    comes: {
      containerStatuses: [{ state: { waiting: { reason: "CreateContainerConfigError", message: "couldn't parse env file" } } }],
    },
    isRealOnly: true,
  },
  {
    name: "an image's own program and words",
    spec: { ...never, container: { image: SAYS, command: undefined } },
    comes: succeeded,
    says: "entry image\n",
    isRealOnly: true,
  },
  {
    name: "words of the pod's own behind the image's program",
    spec: {
      ...never,
      container: { image: SAYS, command: undefined, args: ["pod", "$(WHO)"], env: [{ name: "WHO", value: "me" }] },
    },
    comes: succeeded,
    says: "entry pod me\n",
    isRealOnly: true,
  },
  {
    name: "a program of the pod's own, without the image's words",
    spec: { ...never, container: { image: SAYS, command: ["echo", "own"] } },
    comes: succeeded,
    says: "own\n",
    isRealOnly: true,
  },
  {
    name: "both of the pod's own",
    spec: { ...never, container: { image: SAYS, command: ["echo", "own"], args: ["words"] } },
    comes: succeeded,
    says: "own words\n",
    isRealOnly: true,
  },
  {
    name: "who is not privileged makes no device, and who is does",
    spec: {
      ...never,
      container: {
        ...script("ip link add own type bridge && echo made || echo refused"),
        securityContext: { privileged: false },
      },
    },
    comes: succeeded,
    says: /^refused$/m,
    isRealOnly: true,
  },
  {
    name: "the node's processes",
    spec: { ...never, hostPID: true, container: script(`tr '\\0' ' ' < /proc/${process.pid}/cmdline | grep -c .`) },
    comes: succeeded,
    says: "1\n",
    isRealOnly: true,
  },
  {
    name: "groups by the pod alone, which this runtime cannot give",
    spec: { securityContext: { supplementalGroupsPolicy: "Strict" }, container: {} },
    comes: {
      phase: "Failed",
      reason: "SupplementalGroupsPolicyNotSupported",
      message: "Pod was rejected: SupplementalGroupsPolicy=Strict is not supported in this node",
    },
    isRealOnly: true,
  },
  {
    name: "a class whose handler the runtime does not have",
    spec: { runtimeClassName: "unknown", container: {} },
    comes: { phase: "Pending" },
    told: [
      /^FailedCreatePodSandBox Failed to create pod sandbox: rpc error: code = Unknown desc = .*no runtime for "unknown" is configured$/,
    ],
    isRealOnly: true,
  },
];

/** What upstream's test/e2e/{common/node,node} look for in pods' lives, beyond what test/integration has of it. */
describe.each(podClusterKinds)("what comes of pods on $name", (kind) => {
  const isReal = kind.name.startsWith("containerd");
  const mine = cases
    .filter(({ isRealOnly }) => isReal || isRealOnly === undefined)
    .map((one, at) => ({ ...one, pod: `life-${at}` }));
  /** What the server of manifests says. */
  let manifests = { statusCode: 404, statusText: "Not Found", text: "" };
  let pods: PodCluster;
  let ask: PodCluster["ask"];
  beforeAll(async () => {
    const config = { staticPodURL: URL, httpCheckFrequency: "200ms" };
    pods = await kind.start({ real: { config, options: { fetchManifest: async () => manifests } } });
    ask = pods.ask;
    await Promise.all([classOf("unknown", "unknown"), classOf("other", "other", { cpu: "100m", memory: "20Mi" })]);
    const { registry } = pods.node ?? {};
    registry?.add("says", "1", busyboxImage({ Entrypoint: ["echo", "entry"], Cmd: ["image"] }));
    registry?.add("busybox", "2", busyboxImage({ Cmd: ["sleep", "2147483647"], Env: ["PATH=/bin", "VERSION=2"] }));
    await Promise.all(mine.map(({ pod, spec }) => create(pod, spec)));
  }, START_TIMEOUT_MS);
  afterAll(() => pods?.stop(), START_TIMEOUT_MS);

  const classOf = async (name: string, handler: string, podFixed?: object): Promise<void> => {
    const made = await ask("POST", CLASSES, { metadata: { name }, handler, ...(podFixed && { overhead: { podFixed } }) });
    expect(made.status, made.text).toBe(201);
  };
  const imageOf = (image: string | undefined): string =>
    image === undefined ? pods.image : pods.node === undefined ? image : `${pods.node.registry.host}/${image}`;
  const create = async (name: string, { container, ...others }: Any, annotations: object = {}): Promise<void> => {
    const initContainers = others.initContainers?.map((one: Any) => ({ ...one, image: imageOf(one.image) }));
    const spec = initContainers === undefined ? others : { ...others, initContainers };
    const containers = [{ name: "c", command: ["sleep", "86400"], ...container, image: imageOf(container.image) }];
    const made = await ask("POST", `${CORE}/pods`, {
      metadata: { name, annotations },
      spec: { terminationGracePeriodSeconds: 1, automountServiceAccountToken: false, containers, ...spec },
    });
    expect(made.status, made.text).toBe(201);
  };
  const podOf = async (name: string): Promise<Any> => (await ask("GET", `${CORE}/pods/${name}`)).body;
  const until = (name: string, want: object) =>
    vi.waitFor(async () => expect((await podOf(name)).status).toMatchObject(want), SOON);
  const gone = (name: string) =>
    vi.waitFor(async () => expect((await ask("GET", `${CORE}/pods/${name}`)).status).toBe(404), SOON);
  const logOf = async (name: string, query = ""): Promise<string> => (await ask("GET", `${CORE}/pods/${name}/log?${query}`)).text;
  const eventsOf = async (name: string): Promise<readonly string[]> =>
    (await ask("GET", `${CORE}/events?fieldSelector=involvedObject.name%3D${name}`)).body.items.map(
      ({ reason, message }: Any) => `${reason} ${message}`,
    );

  test.each(mine)("$name", async ({ pod, comes, says, told = [] }) => {
    await until(pod, comes);
    const wanted = told.map((text) => (typeof text === "string" ? text : expect.stringMatching(text)));
    await vi.waitFor(async () => expect(await eventsOf(pod)).toEqual(expect.arrayContaining(wanted)), SOON);
    if (typeof says === "string") expect(await logOf(pod)).toBe(says);
    else if (says !== undefined) expect(await logOf(pod)).toMatch(says);
  });

  test("conditions come one after the other, and say at the end that the pod is completed", async () => {
    const seen: string[] = [];
    const signal = AbortSignal.timeout(SOON.timeout);
    const watching = (async () => {
      for await (const batch of pods.cluster.client.watch<Any>(PODS, "default", {
        fieldSelector: "metadata.name=stages",
        signal,
      })) {
        for (const { object } of batch) {
          for (const { type, status } of object.status.conditions ?? [])
            if (status === "True" && !seen.includes(type)) seen.push(type);
          if (object.status.phase === "Succeeded") return;
        }
      }
    })();
    await create("stages", {
      ...never,
      initContainers: [{ name: "i", ...script("sleep 1", "exit 0") }],
      container: script("sleep 2", "exit 0"),
    });
    await watching;
    expect(seen).toEqual(["PodScheduled", "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"]);
    await vi.waitFor(async () => {
      const { conditions } = (await podOf("stages")).status;
      expect(Object.fromEntries(conditions.map(({ type, status, reason }: Any) => [type, `${status} ${reason ?? ""}`]))).toEqual({
        PodReadyToStartContainers: "False ",
        Initialized: "True PodCompleted",
        Ready: "False PodCompleted",
        ContainersReady: "False PodCompleted",
        PodScheduled: "True ",
      });
    }, SOON);
  });

  test("a rule that restarts all containers is told while they end", async () => {
    const seen: string[] = [];
    const signal = AbortSignal.timeout(SOON.timeout);
    const watching = (async () => {
      for await (const batch of pods.cluster.client.watch<Any>(PODS, "default", {
        fieldSelector: "metadata.name=ruled",
        signal,
      })) {
        for (const { object } of batch) {
          const found = object.status.conditions?.find(({ type }: Any) => type === "AllContainersRestarting");
          const text = found === undefined ? "" : `${found.status} ${found.reason ?? ""}`;
          if (seen.at(-1) !== text) seen.push(text);
          if (object.status.containerStatuses?.every(({ restartCount, ready }: Any) => restartCount > 0 && ready)) return;
        }
      }
    })();
    const rule = { action: "RestartAllContainers", exitCodes: { operator: "In", values: [43] } };
    const cause = { image: pods.image, restartPolicy: "Never", restartPolicyRules: [rule], ...script("sleep 2", "exit 43") };
    const containers = [
      { name: "cause", ...cause },
      { name: "c", image: pods.image, command: ["sleep", "86400"] },
    ];
    await create("ruled", { ...never, container: {}, containers });
    await watching;
    expect(seen.filter((text) => text !== "")).toEqual(["False ", "True RestartAllContainersStarted", "False "]);
  });

  test("each update of a spec counts, and is seen by the node", async () => {
    const updates = UPDATES[pods.isReal ? "real" : "simulated"];
    await create("updated", { container: {}, activeDeadlineSeconds: 100_000 });
    await until("updated", { phase: "Running", observedGeneration: 1 });
    for (let times = 1; times <= updates; times++) {
      const patch = { spec: { activeDeadlineSeconds: 100_000 - times } };
      const { metadata } = await pods.cluster.client.patch<Any>(PODS, "default", "updated", STRATEGIC["content-type"], patch);
      expect(metadata.generation).toBe(times + 1);
    }
    await until("updated", { observedGeneration: updates + 1 });
    const { status } = await podOf("updated");
    for (const { type, observedGeneration } of status.conditions) {
      if (type !== "PodScheduled") expect(observedGeneration, type).toBe(updates + 1);
    }
    expect(status.containerStatuses[0].restartCount).toBe(0);
    expect((await ask("DELETE", `${CORE}/pods/updated`)).body.metadata.generation).toBe(updates + 2);
    await gone("updated");
  });

  test("a container is made anew with another image", async () => {
    await create("changed", { container: {} });
    await until("changed", { phase: "Running" });
    const image = imageOf("busybox:2");
    const patched = await ask("PATCH", `${CORE}/pods/changed`, { spec: { containers: [{ name: "c", image }] } }, STRATEGIC);
    expect(patched.status, patched.text).toBe(200);
    await until("changed", { containerStatuses: [{ image, restartCount: 1, ready: true }] });
    expect(await eventsOf("changed")).toContain("Killing Container c definition changed, will be restarted");
  });

  test("what the container before said is kept, and logs are read in parts", async () => {
    await create("talks", { container: script("echo one", "echo two", "echo three", "sleep 2", "exit 1") });
    await until("talks", { containerStatuses: [{ restartCount: 1, state: { running: {} } }] });
    expect(await logOf("talks", "previous=true")).toBe("one\ntwo\nthree\n");
    await vi.waitFor(async () => expect(await logOf("talks", "tailLines=1")).toBe("three\n"), SOON);
    expect(await logOf("talks", "tailLines=2&limitBytes=5")).toBe("two\nt");
    expect(await logOf("talks", "timestamps=true&tailLines=1")).toMatch(/^\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d) three\n$/);
    expect(await logOf("talks", "sinceSeconds=3600&tailLines=1")).toBe("three\n");
    expect((await ask("GET", `${CORE}/pods/talks/log?container=none`)).status).toBe(400);
  });

  test("a pod that is deleted again with less time ends sooner", async () => {
    const deaf = script("trap '' TERM", "while :; do sleep 0.1; done");
    const annotations = { "kybern.io/simulated-stop-seconds": "600" };
    await create("impatient", { terminationGracePeriodSeconds: 600, container: deaf }, annotations);
    await until("impatient", { phase: "Running" });
    const first = await ask("DELETE", `${CORE}/pods/impatient`);
    expect(first.body.metadata.deletionGracePeriodSeconds).toBe(600);
    await vi.waitFor(async () => expect(await eventsOf("impatient")).toContain("Killing Stopping container c"), SOON);
    await ask("DELETE", `${CORE}/pods/impatient?gracePeriodSeconds=1`);
    await gone("impatient");
  });

  test("a class adds its overhead, and its handler runs the pod", async () => {
    const resources = { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "500m", memory: "64Mi" } };
    await create("classed", { runtimeClassName: "other", container: { resources } });
    await until("classed", { phase: "Running" });
    const { metadata, spec } = await podOf("classed");
    expect(spec.overhead).toEqual({ cpu: "100m", memory: "20Mi" });
    const refused = await ask("POST", `${CORE}/pods`, {
      metadata: { name: "none" },
      spec: { runtimeClassName: "none", containers: [{ name: "c", image: pods.image }] },
    });
    expect([refused.status, refused.body.message]).toEqual([
      403,
      'pods "none" is forbidden: pod rejected: RuntimeClass "none" not found',
    ]);
    const { containerd } = pods.node ?? {};
    if (containerd === undefined) return;
    const [sandbox] = await containerd.runtime.listPodSandbox({ labelSelector: { "io.kubernetes.pod.uid": metadata.uid } });
    expect(existsSync(join(containerd.dir, "other/k8s.io", sandbox?.id ?? ""))).toBe(true);
    const settingOf = (v1: string, v2: string): string | undefined => {
      const pod = join(containerd.cgroupParent, "kubepods/burstable", `pod${metadata.uid}`);
      const paths = cgroupRoots().flatMap((root) => [v1, v2].map((file) => join(root, pod, file)));
      const path = paths.find((one) => existsSync(one));
      return path && readFileSync(path, "utf8").trim();
    };
    expect(settingOf("memory.limit_in_bytes", "memory.max")).toBe(String(84 * 1024 ** 2));
    expect(settingOf("cpu.cfs_quota_us", "cpu.max")).toMatch(/^60000( 100000)?$/);
  });

  if (!isReal) return;

  test("a critical pod ends others for which there is no room beside it", async () => {
    await create("filler", { container: { resources: { requests: { cpu: "7" } } } });
    await until("filler", { phase: "Running" });
    const container = { name: "c", image: pods.image, resources: { requests: { cpu: "4" } } };
    const manifest = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "critical" },
      spec: { terminationGracePeriodSeconds: 1, containers: [container] },
    };
    const path = join(pods.node?.manifests ?? "", "critical.json");
    writeFileSync(path, JSON.stringify(manifest));
    await until("filler", { phase: "Failed", reason: "Preempting", message: "Preempted in order to admit critical pod" });
    expect((await podOf("filler")).status.conditions).toContainEqual(
      expect.objectContaining({
        type: "DisruptionTarget",
        status: "True",
        reason: "TerminationByKubelet",
        message: "Pod was preempted by Kubelet to accommodate a critical pod.",
      }),
    );
    await until("critical-real-0", { phase: "Running" });
    rmSync(path);
    await gone("critical-real-0");
  });

  test("pods of a URL run, change and go with what it says, and stay while it says nothing", async () => {
    const document = (...names: readonly string[]): typeof manifests => {
      const items = names.map((name) => ({
        metadata: { name, namespace: "default" },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image: pods.image }] },
      }));
      return { statusCode: 200, statusText: "OK", text: JSON.stringify({ apiVersion: "v1", kind: "PodList", items }) };
    };
    manifests = document("from-url", "also-from-url");
    await Promise.all(["from-url-real-0", "also-from-url-real-0"].map((name) => until(name, { phase: "Running" })));
    const { metadata } = await podOf("from-url-real-0");
    expect(metadata.annotations).toMatchObject({ "kubernetes.io/config.source": "http" });
    manifests = { statusCode: 500, statusText: "Internal Server Error", text: "ill" };
    await vi.waitFor(() => expect(pods.node?.said.join("\n")).toContain("500 Internal Server Error"), SOON);
    manifests = document("from-url");
    await gone("also-from-url-real-0");
    expect((await podOf("from-url-real-0")).metadata.uid).toBe(metadata.uid);
    manifests = document();
    await gone("from-url-real-0");
  });
});
