import { afterEach, beforeEach, expect, test } from "vitest";
import type { Lease } from "#api/generated/coordination/v1.ts";
import type { Node } from "#api/generated/core/v1.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { seededRandom } from "#base/random.ts";
import type { ResourceId } from "#client/client.ts";
import { FakeClient } from "#client/fake-client.ts";
import { silentLogger } from "#component-base/logging.ts";
import { NodeReporter } from "./node-reporter.ts";
import type { NodeFacts } from "./node-status.ts";

const NODES: ResourceId = { group: "", version: "v1", resource: "nodes" };
const CSI_NODES: ResourceId = { group: "storage.k8s.io", version: "v1", resource: "csinodes" };
const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };
/** So many promises stand one behind the other at most. */
const TURNS = 60;
const START_MS: number = Date.UTC(2030, 0, 1);

let clock: ManualClock;
let client: FakeClient;
let events: string[];
let problems: readonly string[];
let reporter: NodeReporter;

const facts = async (): Promise<NodeFacts> => ({
  nodeName: "n1",
  nowMs: clock.now(),
  machine: {
    cpus: 2,
    memoryBytes: 1,
    swapBytes: 0,
    hugePages: {},
    machineId: "",
    systemUuid: "",
    bootId: "b",
    kernelVersion: "",
    osImage: "",
    architecture: "amd64",
  },
  capacity: { cpu: "2", memory: "1Gi", pods: "110" },
  allocatable: { cpu: "2", memory: "1Gi", pods: "110" },
  addresses: [{ type: "InternalIP", address: "192.0.2.1" }],
  kubeletPort: 10250,
  runtime: { version: undefined, status: undefined },
  images: [],
  imagesMax: 50,
  pressures: { memory: false, disk: false, pid: false },
  problems,
  countsDisk: false,
  volumesInUse: [],
});

beforeEach(() => {
  clock = new ManualClock(START_MS);
  client = new FakeClient({
    resources: [
      { id: NODES, kind: "Node", namespaced: false },
      { id: LEASES, kind: "Lease", namespaced: true },
      { id: CSI_NODES, kind: "CSINode", namespaced: false },
    ],
    clock,
    random: seededRandom(1),
  });
  events = [];
  problems = [];
});
afterEach(() => reporter.close());

function start(options: { readonly register?: boolean } = {}): void {
  reporter = new NodeReporter({
    client,
    clock,
    logger: silentLogger,
    recorder: { event: (_target, _type, reason) => void events.push(reason), flush: async () => {} },
    request: {
      nodeName: "n1",
      hostname: "n1",
      architecture: "amd64",
      labels: {},
      taints: [],
      schedulable: true,
      providerId: "",
      externalCloud: false,
      controllerAttach: true,
    },
    register: options.register ?? true,
    periods: { updateMs: 10_000, reportMs: 300_000, leaseDurationSeconds: 40 },
    facts,
  });
  reporter.start();
}

const pass = async (seconds: number): Promise<void> => {
  for (let i = 0; i < seconds * 10; i++) {
    clock.advance(100);
    for (let turns = 0; turns < TURNS; turns++) await Promise.resolve();
  }
};
const node = (): Promise<Node> => client.get<Node>(NODES, "", "n1");
const ready = async (): Promise<string | undefined> =>
  (await node()).status?.conditions?.find(({ type }) => type === "Ready")?.status;
const statusWrites = (): number => client.writes.filter(({ subresource }) => subresource === "status").length;

test("a node registers, renews its Lease four times in its duration, and tells its status as seldom as it may", async () => {
  start();
  await pass(1);
  expect(await ready()).toBe("True");
  expect(events).toEqual(["Starting", "NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID", "NodeReady"]);
  const first = await client.get<Lease>(LEASES, "kube-node-lease", "n1");
  expect(first.metadata.ownerReferences?.[0]?.uid).toBe((await node()).metadata.uid);
  const before = statusWrites();
  await pass(290);
  expect(statusWrites()).toBe(before);
  expect(client.writes.filter(({ resource, verb }) => resource === "leases" && verb === "update")).toHaveLength(29);
  await pass(20);
  expect(statusWrites()).toBe(before + 1);
});

test("a node that is not ready looks often at first, and tells at once when it is", async () => {
  problems = ["container runtime is down"];
  start();
  await pass(2);
  expect(await ready()).toBe("False");
  problems = [];
  await pass(0.3);
  expect(await ready()).toBe("True");
  expect(events.at(-1)).toBe("NodeReady");
});

test("a change is told at the next look, and what others did with the node stays", async () => {
  start();
  await pass(1);
  const seen = await node();
  await client.update<Node>(NODES, "", "n1", {
    ...seen,
    metadata: { ...seen.metadata, labels: { ...seen.metadata.labels, mine: "yes" } },
    spec: { unschedulable: true },
  });
  problems = ["a", "b"];
  await pass(10);
  expect(await ready()).toBe("False");
  expect((await node()).metadata.labels?.mine).toBe("yes");
  expect(events.slice(-2).sort()).toEqual(["NodeNotReady", "NodeNotSchedulable"]);
});

test("a node that is there is taken over, and one that nobody registered is waited for", async () => {
  await client.create<Node>(NODES, "", {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "n1", labels: { mine: "yes" } },
    spec: {},
  } as Node);
  start();
  await pass(1);
  expect((await node()).metadata.labels).toMatchObject({ mine: "yes", "kubernetes.io/hostname": "n1" });
  await reporter.close();
  await client.delete(NODES, "", "n1");
  start({ register: false });
  await pass(15);
  await expect(node()).rejects.toThrow("not found");
  await client.create<Node>(NODES, "", { apiVersion: "v1", kind: "Node", metadata: { name: "n1" }, spec: {} } as Node);
  await pass(10);
  expect(await ready()).toBe("True");
});

test("closing ends every timer", async () => {
  start();
  await pass(1);
  await reporter.close();
  const writes = client.writes.length;
  await pass(60);
  expect(client.writes.length).toBe(writes);
});
