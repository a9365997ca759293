import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Lease } from "#api/generated/coordination/v1.ts";
import type { Event, Node, Pod } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import type { ResourceId } from "#client/client.ts";
import { FakeClient } from "#client/fake-client.ts";
import { type SimulatedNodes, startSimulatedNodes } from "./simulated-nodes.ts";

const NODES: ResourceId = { group: "", version: "v1", resource: "nodes" };
const PODS: ResourceId = { group: "", version: "v1", resource: "pods" };
const EVENTS: ResourceId = { group: "", version: "v1", resource: "events" };
const CSI_NODES: ResourceId = { group: "storage.k8s.io", version: "v1", resource: "csinodes" };
const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };
const START = Date.parse("2030-01-01T00:00:00Z");

let client: FakeClient;
let nodes: SimulatedNodes;
let stop: AbortController;
beforeEach(() => {
  vi.useFakeTimers({ now: START });
  stop = new AbortController();
  client = new FakeClient({
    clock: realClock,
    random: seededRandom(1),
    resources: [
      { id: NODES, kind: "Node", namespaced: false },
      { id: PODS, kind: "Pod", namespaced: true },
      { id: EVENTS, kind: "Event", namespaced: true },
      { id: LEASES, kind: "Lease", namespaced: true },
      { id: CSI_NODES, kind: "CSINode", namespaced: false },
    ],
  });
});
afterEach(async () => {
  await nodes?.stop();
  vi.useRealTimers();
});

async function start(count: number, leaseDurationSeconds?: number): Promise<void> {
  nodes = await startSimulatedNodes({
    client,
    clock: realClock,
    random: seededRandom(2),
    count,
    namePrefix: "node-",
    signal: stop.signal,
    ...(leaseDurationSeconds === undefined ? {} : { leaseDurationSeconds }),
  });
}

const pass = (seconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(seconds * 1000);
const createPod = (name: string, spec: Partial<Pod["spec"]> = {}): Promise<Pod> =>
  client.create<Pod>(PODS, "ns", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "ns" },
    spec: { nodeName: "node-0", restartPolicy: "Always", containers: [{ name: "c", image: "i" }], ...spec },
  } as Pod);
const pod = (name: string): Promise<Pod> => client.get<Pod>(PODS, "ns", name);
const phase = async (name: string): Promise<string | undefined> => (await pod(name)).status?.phase;
const renewedAfter = async (name: string): Promise<number> => {
  const lease = await client.get<Lease>(LEASES, "kube-node-lease", name);
  return (Date.parse(lease.spec?.renewTime ?? "") - START) / 1000;
};
const writesOf = (resource: string): number => client.writes.filter((write) => write.resource === resource).length;

test("nodes register ready, with capacity, addresses and networks of their own, and a lease each", async () => {
  await start(3);
  const { items } = await client.list<Node>(NODES, "");
  expect(items.map(({ metadata }) => metadata.name)).toEqual(["node-0", "node-1", "node-2"]);
  const [first] = items;
  expect(first?.metadata.labels?.["kubernetes.io/hostname"]).toBe("node-0");
  expect(first?.status?.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
    status: "True",
    reason: "KubeletReady",
    lastHeartbeatTime: "2030-01-01T00:00:00Z",
  });
  expect(first?.status?.allocatable).toMatchObject({ cpu: "8", pods: "110" });
  expect(new Set(items.map(({ spec }) => spec?.podCIDR)).size).toBe(3);
  expect(new Set(items.map(({ status }) => status?.addresses?.[0]?.address)).size).toBe(3);
  const lease = await client.get<Lease>(LEASES, "kube-node-lease", "node-1");
  expect(lease.spec).toMatchObject({ holderIdentity: "node-1", leaseDurationSeconds: 40 });
  expect(lease.metadata.ownerReferences?.[0]).toMatchObject({ kind: "Node", name: "node-1", uid: items[1]?.metadata.uid });
});

test("a node that is known already keeps what it has, and is ready again", async () => {
  const labels = { mine: "1" };
  const known = await client.create<Node>(NODES, "", {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "node-0", labels },
    spec: {},
  } as Node);
  await start(1);
  const node = await client.get<Node>(NODES, "", "node-0");
  expect(node.metadata).toMatchObject({ uid: known.metadata.uid, labels });
  expect(node.status?.conditions?.at(-1)).toMatchObject({ type: "Ready", status: "True" });
});

test("each node has a CSINode, those of many with their first heartbeats, and once", async () => {
  await start(20);
  expect(writesOf("csinodes")).toBe(16);
  await pass(10);
  expect((await client.list(CSI_NODES, "")).items).toHaveLength(20);
  await pass(60);
  expect(writesOf("csinodes")).toBe(20);
});

test("leases are renewed four times in their duration, spread over time; statuses are written every five minutes", async () => {
  await start(4);
  await pass(10);
  const renewals = await Promise.all(["node-0", "node-1", "node-2", "node-3"].map(renewedAfter));
  expect(renewals).toEqual([2.5, 5, 7.5, 10]);
  const before = { leases: writesOf("leases"), nodes: writesOf("nodes") };
  await pass(280);
  expect([writesOf("leases") - before.leases, writesOf("nodes") - before.nodes]).toEqual([4 * 28, 0]);
  await pass(20);
  expect(writesOf("nodes") - before.nodes).toBe(4);
});

test("a node that was taken for dead says with its next heartbeat that it is ready, once", async () => {
  await start(2);
  const unknown = { type: "Ready", status: "Unknown", reason: "NodeStatusUnknown" };
  const status = { conditions: [unknown] };
  await client.patch(NODES, "", "node-1", "application/merge-patch+json", { status }, { subresource: "status" });
  await pass(10);
  const { items } = await client.list<Node>(NODES, "");
  const ready = items.map((node) => node.status?.conditions?.find(({ type }) => type === "Ready"));
  expect(ready.map((condition) => condition?.status)).toEqual(["True", "True"]);
  expect(Date.parse(ready[1]?.lastTransitionTime ?? "")).toBeGreaterThan(START);
  const writes = writesOf("nodes");
  await pass(60);
  expect(writesOf("nodes")).toBe(writes);
});

test("a shorter lease is renewed more often", async () => {
  await start(1, 4);
  await pass(5);
  expect(writesOf("leases")).toBe(1 + 5);
});

test("pods of a node run, each with an address of its node's network", async () => {
  await start(2);
  for (const name of ["a", "b"]) await createPod(name);
  await createPod("far", { nodeName: "node-1" });
  await createPod("host", { hostNetwork: true });
  await createPod("elsewhere", { nodeName: "other" });
  await pass(1);
  const ips = await Promise.all(["a", "b", "far", "host"].map(async (name) => (await pod(name)).status?.podIP));
  expect(ips).toEqual(["10.244.0.2", "10.244.0.3", "10.244.1.2", "172.18.0.2"]);
  expect(await phase("elsewhere")).toBeUndefined();
});

test("a node that fails goes silent and starts nothing; when it is back it is ready and goes on", async () => {
  await start(2);
  await createPod("before");
  await pass(1);
  nodes.stopNode("node-0");
  await createPod("meanwhile");
  await pass(60);
  expect(await renewedAfter("node-0")).toBeLessThan(10);
  expect(await renewedAfter("node-1")).toBeGreaterThan(50);
  expect([await phase("before"), await phase("meanwhile")]).toEqual(["Running", undefined]);
  await nodes.startNode("node-0");
  await pass(1);
  expect(await renewedAfter("node-0")).toBeGreaterThan(60);
  expect(await phase("meanwhile")).toBe("Running");
  const node = await client.get<Node>(NODES, "", "node-0");
  expect(node.status?.conditions?.find(({ type }) => type === "Ready")?.lastHeartbeatTime).toBe("2030-01-01T00:01:01Z");
});

test("a pod that the node has no room for fails before it starts, and is let go when it is deleted", async () => {
  await start(1);
  const requests = (cpu: string) => ({ containers: [{ name: "c", image: "i", resources: { requests: { cpu } } }] });
  await createPod("first", requests("6"));
  await createPod("second", requests("3"));
  await pass(1);
  expect(await phase("first")).toBe("Running");
  const { status } = await pod("second");
  expect(status).toEqual({
    observedGeneration: 1,
    phase: "Failed",
    reason: "OutOfcpu",
    message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 3000, used: 6000, capacity: 8000",
    startTime: "2030-01-01T00:00:00Z",
  });
  const { items } = await client.list<Event>(EVENTS, "ns");
  const told = items.filter(({ involvedObject }) => involvedObject.name === "second");
  expect(told.map(({ type, reason }) => `${type} ${reason}`)).toEqual(["Warning OutOfcpu"]);
  // A pod that has ended holds nothing: the next one fits beside the first.
  await createPod("third", requests("2"));
  await pass(1);
  expect(await phase("third")).toBe("Running");
});

test("what the scheduler saw of a node counts, even if this process has not seen it yet", async () => {
  await start(1);
  const node = await client.get<Node>(NODES, "", "node-0");
  await client.update<Node>(NODES, "", "node-0", { ...node, metadata: { ...node.metadata, labels: { disk: "ssd" } } });
  await createPod("fits", { nodeSelector: { disk: "ssd" } });
  await createPod("does-not", { nodeSelector: { disk: "tape" } });
  await pass(1);
  expect([await phase("fits"), (await pod("does-not")).status?.reason]).toEqual(["Running", "NodeAffinity"]);
});

test("stopping ends every timer and leaves nodes and pods as they are", async () => {
  await start(3);
  await createPod("a");
  await pass(1);
  await nodes.stop();
  const writes = client.writes.length;
  await pass(120);
  expect(client.writes.length).toBe(writes);
  expect(await phase("a")).toBe("Running");
});
