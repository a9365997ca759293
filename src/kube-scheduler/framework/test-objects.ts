import type { Container, Node, NodeSpec, Pod, PodSpec } from "#api/generated/core/v1.ts";
import { VolumePool } from "#component-helpers/storage/volume-pool.ts";
import type { ClusterEvent } from "./cluster-event.ts";
import type { ClusterLister } from "./cluster-lister.ts";
import { CycleState } from "./cycle-state.ts";
import { NodeInfo } from "./node-info.ts";
import { NodeList } from "./node-list.ts";
import type { Plugin } from "./plugin.ts";
import { type PodInfo, podInfo } from "./pod-info.ts";

/** A pod for tests; its UID is its name. */
export function testPod(name: string, spec: Partial<PodSpec> = {}, metadata: Partial<Pod["metadata"]> = {}): Pod {
  return {
    metadata: { name, namespace: "ns", uid: name, ...metadata },
    spec: { schedulerName: "default-scheduler", containers: [{ name: "c", image: "i" }], ...spec },
    status: { phase: "Pending" },
  };
}

/** A container that requests these resources. */
export function requesting(requests: Record<string, string>, more: Partial<Container> = {}): Container {
  return { name: "c", image: "i", resources: { requests }, ...more };
}

/** A node for tests: 4 CPUs, 8 GiB, 110 pods unless told otherwise. */
export function testNode(
  name: string,
  options: { labels?: Record<string, string>; spec?: NodeSpec; allocatable?: Record<string, string> } = {},
): Node {
  return {
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...options.labels } },
    spec: options.spec ?? {},
    status: { allocatable: { cpu: "4", memory: "8Gi", pods: "110", "ephemeral-storage": "100Gi", ...options.allocatable } },
  };
}

const listOf = new WeakMap<NodeInfo, NodeList>();

/** Adds nodes to a list, which is told of their changes from now on. */
export function testNodeList(nodes: readonly NodeInfo[], list: NodeList = new NodeList()): NodeList {
  for (const info of nodes) {
    listOf.set(info, list);
    list.add(info);
  }
  return list;
}

/** A node's record with pods on it. */
export function testNodeInfo(node: Node, pods: readonly Pod[] = []): NodeInfo {
  const info = new NodeInfo(node.metadata.name ?? "", (changed) => listOf.get(changed)?.noteChange(changed));
  info.setNode(node);
  for (const pod of pods) info.addPod(podInfo(pod));
  return info;
}

/** A cluster of these nodes and nothing else, unless told otherwise. */
export function testCluster(nodes: NodeList | readonly NodeInfo[], more: Partial<ClusterLister> = {}): ClusterLister {
  const list = nodes instanceof NodeList ? nodes : testNodeList(nodes);
  return {
    nodes: () => list,
    node: (name) => list.all.find((node) => node.name === name),
    lowestPriority: () => Math.min(...list.all.map(({ lowestPriority }) => lowestPriority)),
    pod: () => undefined,
    claim: () => undefined,
    volume: () => undefined,
    volumes: () => new VolumePool(),
    storageClass: () => undefined,
    namespaceLabels: () => undefined,
    servicesOf: () => [],
    replicationController: () => undefined,
    replicaSet: () => undefined,
    statefulSet: () => undefined,
    ...more,
  };
}

/** What a plugin's `preFilter` and `filter` together say of a pod on a node: the code, then the reasons. */
export function verdictOf(plugin: Plugin, pod: Pod, node: NodeInfo): string[] {
  const state = new CycleState();
  const info: PodInfo = podInfo(pod);
  const pre = plugin.preFilter?.(state, info).status;
  if (pre !== undefined && pre.code !== "Success") return [pre.code, ...pre.reasons];
  const status = plugin.filter?.(state, info, node);
  return [status?.code ?? "Success", ...(status?.reasons ?? [])];
}

/** The normalized scores that a plugin gives the nodes. */
export function scoresOf(plugin: Plugin, pod: Pod, nodes: readonly NodeInfo[]): number[] | "Skip" {
  const state = new CycleState();
  const info = podInfo(pod);
  if (plugin.preScore?.(state, info, nodes).code === "Skip") return "Skip";
  const scores = nodes.map((node) => plugin.score?.(state, info, node) ?? 0);
  plugin.normalizeScores?.(scores);
  return scores;
}

/** Whether the plugin, having rejected the pod, wants it to be tried again for the event. */
export function hintOf({ eventsToRegister = [] }: Plugin, pod: Pod, event: ClusterEvent): "Queue" | "Skip" | "not heard" {
  const heard = eventsToRegister.filter(({ resource, actions }) => resource === event.resource && actions.includes(event.action));
  if (heard.length === 0) return "not heard";
  const info = podInfo(pod);
  return heard.some(({ queueingHint }) => queueingHint === undefined || queueingHint(info, event) === "Queue") ? "Queue" : "Skip";
}
