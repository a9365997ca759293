import { expect, test } from "vitest";
import type { NodeStatus } from "#api/generated/core/v1.ts";
import { withDefaults } from "../configuration/defaults.ts";
import { allocatableOf, capacityOf } from "./capacity.ts";
import { initialNode, type NodeRequest, reconciledMetadata } from "./initial-node.ts";
import type { Machine, MachineInfo } from "./machine.ts";
import { type AddressRequest, chooseAddresses } from "./node-addresses.ts";
import { nodeLabelsProblem } from "./node-labels.ts";
import { type NodeFacts, nextStatus, statusHasChanged, statusPatch } from "./node-status.ts";
import { runtimeProblems } from "./runtime-problems.ts";

const MACHINE: MachineInfo = {
  cpus: 2,
  memoryBytes: 3_977_508 * 1024,
  swapBytes: 0,
  hugePages: { 2048: 0 },
  machineId: "m",
  systemUuid: "u",
  bootId: "b1",
  kernelVersion: "6.1.0",
  osImage: "Debian GNU/Linux 12 (bookworm)",
  architecture: "amd64",
};
const START_MS: number = Date.UTC(2030, 0, 1);

test("what a node has, and what of it is for pods, is in upstream's form to the last byte", () => {
  const settings = withDefaults({ kubeReserved: { cpu: "70m", memory: "574Mi", "ephemeral-storage": "1Gi" } });
  const capacity = capacityOf(MACHINE, 20_959_212 * 1024, settings);
  expect(capacity).toEqual({
    cpu: "2",
    "ephemeral-storage": "20959212Ki",
    "hugepages-2Mi": "0",
    memory: "3977508Ki",
    pods: "110",
  });
  expect(allocatableOf(capacity, settings)).toEqual({
    cpu: "1930m",
    "ephemeral-storage": "18242267924",
    "hugepages-2Mi": "0",
    memory: "3287332Ki",
    pods: "110",
  });
});

test.each<[string, Parameters<typeof withDefaults>[0], Partial<MachineInfo>, object]>([
  [
    "huge pages are no memory for others",
    {},
    { hugePages: { 2048: 512, 1048576: 1 } },
    { memory: "1777956Ki", "hugepages-2Mi": "1Gi", "hugepages-1Gi": "1Gi" },
  ],
  ["nothing goes below zero", { systemReserved: { cpu: "4", memory: "8Gi" } }, {}, { cpu: "0", memory: "0" }],
  ["pods by processor", { podsPerCore: 10 }, {}, { pods: "20" }],
  ["a share of memory", { evictionHard: { "memory.available": "50%" } }, {}, { memory: "1988754Ki" }],
])("%s", (_, part, machine, want) => {
  const settings = withDefaults(part);
  expect(allocatableOf(capacityOf({ ...MACHINE, ...machine }, 0, settings), settings)).toMatchObject(want);
});

const NETWORK: Record<string, readonly string[]> = { n1: ["127.0.1.1", "192.0.2.7"], n2: ["2001:db8::7", "192.0.2.7"] };
const HOST: Machine = {
  info: async () => MACHINE,
  fileSystem: async () => ({ capacityBytes: 0, availableBytes: 0, freeBytes: 0, inodes: 0, inodesFree: 0 }),
  addresses: () => ["127.0.0.1", "192.0.2.7", "192.0.2.8", "2001:db8::7"],
  lookup: async (name) => NETWORK[name] ?? [],
  defaultAddress: async (family) => (family === 4 ? "192.0.2.8" : "2001:db8::7"),
};

test.each<[string, Partial<AddressRequest>, readonly string[]]>([
  ["what was asked for", { nodeIps: ["192.0.2.8"] }, ["192.0.2.8", "n1"]],
  ["one of each family", { nodeIps: ["192.0.2.8", "2001:db8::7"] }, ["192.0.2.8", "2001:db8::7", "n1"]],
  ["a name that is an address", { nodeName: "10.0.0.1", hostname: "10.0.0.1" }, ["10.0.0.1", "10.0.0.1"]],
  ["what the name leads to, but no loopback", {}, ["192.0.2.7", "n1"]],
  ["IPv4 first", { nodeName: "n2", hostname: "n2" }, ["192.0.2.7", "n2"]],
  ["IPv6 where that was preferred", { nodeName: "n2", hostname: "n2", nodeIps: ["::"] }, ["2001:db8::7", "n2"]],
  ["the default route's", { nodeName: "n3", hostname: "n3" }, ["192.0.2.8", "n3"]],
])("addresses: %s", async (_, request, want) => {
  const found = await chooseAddresses({ nodeName: "n1", hostname: "n1", nodeIps: [], ...request }, HOST);
  expect(found.map(({ address }) => address)).toEqual(want);
  expect(found.at(-1)?.type).toBe("Hostname");
});

test.each([
  ["127.0.0.1", "failed to validate nodeIP: nodeIP can't be loopback address"],
  ["224.0.0.1", "failed to validate nodeIP: nodeIP can't be a multicast address"],
  ["169.254.0.1", "failed to validate nodeIP: nodeIP can't be a link-local unicast address"],
  ["198.51.100.1", `failed to validate nodeIP: node IP: "198.51.100.1" not found in the host's network interfaces`],
  ["x", "failed to validate nodeIP: nodeIP must be a valid IP address"],
])("%s is no address of the node", async (ip, message) => {
  await expect(chooseAddresses({ nodeName: "n", hostname: "n", nodeIps: [ip] }, HOST)).rejects.toThrow(message);
});

const REQUEST: NodeRequest = {
  nodeName: "n1",
  hostname: "n1",
  architecture: "amd64",
  labels: { disk: "ssd" },
  taints: [],
  schedulable: true,
  providerId: "",
  externalCloud: false,
  controllerAttach: true,
};

test("a node registers with its labels, and unschedulable with the taint that keeps pods away", () => {
  expect(initialNode(REQUEST)).toEqual({
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: "n1",
      labels: {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": "n1",
        "kubernetes.io/os": "linux",
        disk: "ssd",
      },
      annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
    },
    spec: {},
  });
  const { spec } = initialNode({ ...REQUEST, schedulable: false, taints: [{ key: "a", effect: "NoExecute" }] });
  expect(spec).toEqual({
    unschedulable: true,
    taints: [
      { key: "a", effect: "NoExecute" },
      { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" },
    ],
  });
});

test("a node that is there keeps what others gave it; its own labels are put right", () => {
  const existing = initialNode({ ...REQUEST, architecture: "arm64", labels: { mine: "yes" } });
  expect(reconciledMetadata(initialNode(REQUEST), existing)).toEqual({
    labels: { "kubernetes.io/arch": "amd64", "beta.kubernetes.io/arch": "amd64" },
  });
  expect(reconciledMetadata(initialNode({ ...REQUEST, controllerAttach: false }), initialNode(REQUEST))).toEqual({
    labels: {},
    annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": null },
  });
  expect(reconciledMetadata(initialNode(REQUEST), initialNode(REQUEST))).toBeUndefined();
});

test("labels of Kubernetes' own are not for any node to take", () => {
  expect(nodeLabelsProblem({ "node.kubernetes.io/x": "1", "example.com/y": "", "kubernetes.io/arch": "amd64" })).toBeUndefined();
  expect(nodeLabelsProblem({ "node-role.kubernetes.io/master": "" })).toMatch(
    /^unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: \[node-role.kubernetes.io\/master\]\n/,
  );
});

const FACTS: NodeFacts = {
  nodeName: "n1",
  nowMs: START_MS,
  machine: MACHINE,
  capacity: { cpu: "2", memory: "1Gi", pods: "110", "ephemeral-storage": "1Gi" },
  allocatable: { cpu: "2", memory: "1Gi", pods: "110", "ephemeral-storage": "1Gi" },
  addresses: [{ type: "InternalIP", address: "192.0.2.7" }],
  kubeletPort: 10250,
  runtime: {
    version: { runtimeName: "containerd", runtimeVersion: "2.1.0", runtimeApiVersion: "v1" },
    status: {
      conditions: [],
      handlers: [{ name: "runc", recursiveReadOnlyMounts: true, userNamespaces: false }],
      supplementalGroupsPolicy: true,
      userNamespacesHostNetwork: false,
      info: {},
    },
  },
  images: [
    { id: "1", repoTags: ["small:1"], repoDigests: [], sizeBytes: 10, uid: undefined, username: "", pinned: false },
    {
      id: "2",
      repoTags: ["big:1", "big:2"],
      repoDigests: ["big@sha256:0"],
      sizeBytes: 20,
      uid: undefined,
      username: "",
      pinned: false,
    },
  ],
  imagesMax: 50,
  pressures: { memory: false, disk: false, pid: false },
  problems: [],
  countsDisk: true,
  volumesInUse: [],
};

test("the first status tells all, and is told as events; a new node has not become unready", () => {
  const { status, events } = nextStatus(undefined, FACTS);
  expect(status).toMatchObject({
    addresses: [{ type: "InternalIP", address: "192.0.2.7" }],
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    nodeInfo: { containerRuntimeVersion: "containerd://2.1.0", osImage: "Debian GNU/Linux 12 (bookworm)", bootID: "b1" },
    images: [
      { names: ["big@sha256:0", "big:1", "big:2"], sizeBytes: 20 },
      { names: ["small:1"], sizeBytes: 10 },
    ],
    runtimeHandlers: [{ name: "runc", features: { recursiveReadOnlyMounts: true, userNamespaces: false } }],
    features: { supplementalGroupsPolicy: true },
  });
  expect(status.conditions?.map(({ type, status: is, reason, message }) => [type, is, reason, message])).toEqual([
    ["MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
    ["DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
    ["PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
    ["Ready", "True", "KubeletReady", "kubelet is posting ready status"],
  ]);
  expect(events.map(({ message }) => message)).toEqual([
    "Node n1 status is now: NodeHasSufficientMemory",
    "Node n1 status is now: NodeHasNoDiskPressure",
    "Node n1 status is now: NodeHasSufficientPID",
    "Node n1 status is now: NodeReady",
  ]);
  const { events: unready } = nextStatus(undefined, { ...FACTS, problems: ["container runtime is down"] });
  expect(unready.map(({ reason }) => reason)).not.toContain("NodeNotReady");
});

test("a change keeps its time until the next; only heartbeats pass without being told", () => {
  const { status: first } = nextStatus(undefined, { ...FACTS, problems: ["container runtime is down"] });
  const later = { ...FACTS, nowMs: START_MS + 10_000, problems: ["container runtime is down"] };
  expect(statusHasChanged(first, nextStatus(first, later).status)).toBe(false);
  const { status: ready, events } = nextStatus(first, { ...later, problems: [] });
  expect(statusHasChanged(first, ready)).toBe(true);
  expect(events.map(({ reason }) => reason)).toEqual(["NodeReady"]);
  const times = ready.conditions?.map(({ type, lastTransitionTime }) => `${type} ${lastTransitionTime}`);
  expect(times).toContain("Ready 2030-01-01T00:00:10Z");
  expect(times).toContain("DiskPressure 2030-01-01T00:00:00Z");
});

test("several reasons not to be ready stand in brackets, missing amounts among them", () => {
  const { status } = nextStatus(undefined, { ...FACTS, problems: ["a", "b"], capacity: { cpu: "1", memory: "1", pods: "1" } });
  expect(status.conditions?.at(-1)?.message).toBe("[a, b, missing node capacity for resources: ephemeral-storage]");
});

test("a boot since is told, and conditions and resources of others stay", () => {
  const before = {
    capacity: { "example.com/gpu": "2", "hugepages-1Gi": "1Gi" },
    conditions: [{ type: "NetworkUnavailable", status: "False", reason: "RouteCreated" }],
    nodeInfo: { bootID: "b0" },
  } as unknown as NodeStatus;
  const { status, events } = nextStatus(before, FACTS);
  expect(events[0]).toEqual({ type: "Warning", reason: "Rebooted", message: "Node n1 has been rebooted, boot id: b1" });
  expect(status.capacity).toMatchObject({ "example.com/gpu": "2", cpu: "2" });
  expect(status.capacity).not.toHaveProperty("hugepages-1Gi");
  expect(status.conditions?.[0]).toEqual({ type: "NetworkUnavailable", status: "False", reason: "RouteCreated" });
  expect(statusPatch(before, status)).toMatchObject({
    capacity: { "hugepages-1Gi": null, "example.com/gpu": "2", cpu: "2" },
    addresses: [{ address: "192.0.2.7" }, { $patch: "replace" }],
  });
});

test.each([
  ["nothing was heard yet", undefined, undefined, ["container runtime status check may not have completed yet"]],
  ["silence", START_MS - 30_000, {}, ["container runtime is down"]],
  ["all is well", START_MS - 29_000, {}, []],
  [
    "no network",
    START_MS,
    { NetworkReady: false },
    ["container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized"],
  ],
  [
    "neither",
    START_MS,
    { RuntimeReady: false, NetworkReady: false },
    [
      "container runtime not ready: RuntimeReady=false reason:NetworkPluginNotReady message:cni plugin not initialized",
      "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized",
    ],
  ],
] as const)("the runtime: %s", (_, answeredAtMs, states, want) => {
  const all = { RuntimeReady: true, NetworkReady: true, ...states };
  const conditions = Object.entries(all).map(([type, status]) =>
    status
      ? { type, status, reason: "", message: "" }
      : { type, status, reason: "NetworkPluginNotReady", message: "cni plugin not initialized" },
  );
  const status = { conditions, handlers: [], supplementalGroupsPolicy: false, userNamespacesHostNetwork: false, info: {} };
  expect(runtimeProblems({ status: states === undefined ? undefined : status, answeredAtMs }, START_MS)).toEqual(want);
});
