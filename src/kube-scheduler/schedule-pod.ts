import type { Random } from "#base/random.ts";
import type { SchedulerCache } from "./cache/scheduler-cache.ts";
import { CycleState } from "./framework/cycle-state.ts";
import type { Diagnosis } from "./framework/fit-error.ts";
import type { Framework, PluginVerdict } from "./framework/framework.ts";
import type { NodeInfo } from "./framework/node-info.ts";
import type { PodInfo } from "./framework/pod-info.ts";
import { messageOf, type Status, SUCCESS, unresolvable } from "./framework/status.ts";
import type { Nominator } from "./queue/nominator.ts";

/** Below this many nodes all are looked at. */
const FEASIBLE_NODES_MIN = 100;
const PERCENTAGE_MIN = 5;
const PERCENTAGE_START = 50;
const NODES_PER_PERCENT = 125;

export type ScheduleResult =
  | { readonly outcome: "fits"; readonly nodeName: string; readonly state: CycleState }
  | { readonly outcome: "no fit"; readonly diagnosis: Diagnosis; readonly state: CycleState }
  | { readonly outcome: "no nodes" };

/** How many fitting nodes are enough to choose from. `percentage` 0 lets the size of the cluster decide, as upstream. */
export function feasibleNodesWanted(nodes: number, percentage: number): number {
  if (nodes < FEASIBLE_NODES_MIN) return nodes;
  const adaptive = Math.max(PERCENTAGE_MIN, PERCENTAGE_START - Math.trunc(nodes / NODES_PER_PERCENT));
  const wanted = Math.trunc((nodes * (percentage > 0 ? percentage : adaptive)) / 100);
  return Math.max(FEASIBLE_NODES_MIN, wanted);
}

/** Finds a pod's node: upstream's scheduling cycle up to the choice. No I/O: decides on the cache as it is. */
export class PodPlacer {
  readonly #framework: Framework;
  readonly #cache: SchedulerCache;
  readonly #nominator: Nominator;
  readonly #random: Random;
  readonly #percentageOfNodesToScore: number;
  /** Where the search goes on next time, so that all nodes get their turn. */
  #nextStart = 0;
  /** Those that the cycle under way has found: hundreds for each pod, whose list need not grow anew each time. */
  readonly #feasible: NodeInfo[] = [];

  constructor(options: {
    framework: Framework;
    cache: SchedulerCache;
    nominator: Nominator;
    random: Random;
    percentageOfNodesToScore: number;
  }) {
    this.#framework = options.framework;
    this.#cache = options.cache;
    this.#nominator = options.nominator;
    this.#random = options.random;
    this.#percentageOfNodesToScore = options.percentageOfNodesToScore;
  }

  schedule(pod: PodInfo): ScheduleResult {
    const { nodes } = this.#cache;
    if (nodes.length === 0) return { outcome: "no nodes" };
    const state = new CycleState();
    const preFilter = this.#framework.runPreFilter(state, pod);
    const rejectors = new Set(preFilter.plugins);
    const nodeCount = nodes.length;
    if (preFilter.status !== SUCCESS) {
      const preFilterMessage = messageOf(preFilter.status);
      const nodeStatuses = new Map<string, Status>();
      const absentNodesStatus = preFilter.status;
      return { outcome: "no fit", state, diagnosis: { nodeCount, nodeStatuses, absentNodesStatus, preFilterMessage, rejectors } };
    }
    const nominated = this.#nominatedNode(state, pod);
    if (nominated !== undefined) return { outcome: "fits", state, nodeName: nominated.name };
    const nodeStatuses = new Map<string, Status>();
    const feasible = this.#findFeasible(state, pod, this.#eligible(preFilter.nodeNames), nodeStatuses, rejectors);
    if (feasible.length === 0) {
      const narrowed = preFilter.nodeNames !== undefined;
      const absent = narrowed
        ? { absentNodesStatus: unresolvable(`node(s) didn't satisfy plugin(s) [${preFilter.plugins.join(" ")}]`) }
        : {};
      return { outcome: "no fit", state, diagnosis: { nodeCount, nodeStatuses, ...absent, rejectors } };
    }
    return { outcome: "fits", state, nodeName: this.#best(state, pod, feasible).name };
  }

  /** Whether the pod fits, also when the pods that are to come to the node before it are there. */
  filter(state: CycleState, pod: PodInfo, node: NodeInfo): PluginVerdict | undefined {
    const before = [...this.#nominator.podsOn(node.name).values()].filter(
      (other) => other.uid !== pod.uid && other.priority >= pod.priority && !node.pods.has(other.uid),
    );
    if (before.length === 0) return this.#framework.runFilter(state, pod, node);
    for (const other of before) node.addPod(other);
    const verdict = this.#framework.runFilter(state, pod, node);
    for (const other of before) node.removePod(other.uid);
    // They may never come.
    return verdict ?? this.#framework.runFilter(state, pod, node);
  }

  #nominatedNode(state: CycleState, pod: PodInfo): NodeInfo | undefined {
    const name = this.#nominator.nodeOf(pod.uid) ?? pod.pod.status?.nominatedNodeName;
    const node = name ? this.#cache.node(name) : undefined;
    return node !== undefined && this.filter(state, pod, node) === undefined ? node : undefined;
  }

  #eligible(names: ReadonlySet<string> | undefined): readonly NodeInfo[] {
    if (names === undefined) return this.#cache.nodes;
    return [...names].map((name) => this.#cache.node(name)).filter((node) => node !== undefined);
  }

  #findFeasible(
    state: CycleState,
    pod: PodInfo,
    nodes: readonly NodeInfo[],
    statuses: Map<string, Status>,
    rejectors: Set<string>,
  ): readonly NodeInfo[] {
    const wanted = feasibleNodesWanted(nodes.length, this.#percentageOfNodesToScore);
    const feasible = this.#feasible;
    let found = 0;
    let looked = 0;
    while (looked < nodes.length && found < wanted) {
      const node = nodes[(this.#nextStart + looked) % nodes.length] as NodeInfo;
      looked += 1;
      const verdict =
        this.#nominator.podsOn(node.name).size === 0
          ? this.#framework.runFilter(state, pod, node)
          : this.filter(state, pod, node);
      if (verdict === undefined) feasible[found++] = node;
      else {
        statuses.set(node.name, verdict.status);
        rejectors.add(verdict.plugin);
      }
    }
    if (nodes.length > 0) this.#nextStart = (this.#nextStart + looked) % nodes.length;
    feasible.length = found;
    return feasible;
  }

  /** The node with the highest score; chance decides among equals. */
  #best(state: CycleState, pod: PodInfo, feasible: readonly NodeInfo[]): NodeInfo {
    if (feasible.length === 1) return feasible[0] as NodeInfo;
    const scores = this.#framework.runScore(state, pod, feasible);
    let highest = scores[0] ?? 0;
    let equals = 0;
    for (const score of scores) {
      if (score < highest) continue;
      equals = score > highest ? 1 : equals + 1;
      highest = score;
    }
    // Asked once: on an empty cluster hundreds are equal.
    const chosen = equals === 1 ? 0 : this.#random.int(equals);
    return feasible[nthOf(scores, highest, chosen)] as NodeInfo;
  }
}

/** Where a value stands for the time after `n` others of it. */
function nthOf(values: Float64Array, value: number, n: number): number {
  let at = values.indexOf(value);
  for (let i = 0; i < n; i++) at = values.indexOf(value, at + 1);
  return at;
}
