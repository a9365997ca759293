import type { Pod } from "#api/generated/core/v1.ts";
import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { ownValue } from "#base/own-value.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { isRejected, type Status, SUCCESS, unresolvable } from "../../framework/status.ts";

/** The disruption budgets that select a pod. */
export type BudgetsOf = (pod: Pod) => readonly PodDisruptionBudget[];

/** A node that would take the pod if these pods were gone. */
export interface Candidate {
  readonly node: NodeInfo;
  /** The most important first. */
  readonly victims: readonly PodInfo[];
  /** How many of them a disruption budget would keep. */
  readonly violations: number;
}

const NO_VICTIMS = unresolvable("No preemption victims found for incoming pod");

/**
 * The fewest, least important pods whose removal lets the pod onto the node, or why there are none. Tries it out on
 * the node's own record and leaves that as it was.
 */
export function selectVictims(pod: PodInfo, node: NodeInfo, budgetsOf: BudgetsOf, fits: () => Status): Candidate | Status {
  // Asked of every node whenever a pod does not fit anywhere, and in most clusters all pods are equally important.
  if (node.lowestPriority >= pod.priority) return NO_VICTIMS;
  const potential = [...node.pods.values()].filter((other) => other.priority < pod.priority);
  for (const { uid } of potential) node.removePod(uid);
  const without = fits();
  if (isRejected(without)) {
    for (const other of potential) node.addPod(other);
    return without;
  }
  const { violating, others } = splitByBudgets(inOrderOfImportance(potential), budgetsOf);
  const victims: PodInfo[] = [];
  let violations = 0;
  // Spare whom we can, those under a budget and the more important ones first.
  for (const [group, counts] of [
    [violating, true],
    [others, false],
  ] as const) {
    for (const other of group) {
      node.addPod(other);
      if (fits() === SUCCESS) continue;
      node.removePod(other.uid);
      victims.push(other);
      if (counts) violations += 1;
    }
  }
  for (const victim of victims) node.addPod(victim);
  return { node, victims: victims.sort(byImportance), violations };
}

/** Upstream's order of criteria: budgets, highest priority, sum of priorities, count, and the latest start. */
export function pickCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  const rank = ({ victims, violations }: Candidate): readonly number[] => {
    const highest = victims[0]?.priority ?? Number.NEGATIVE_INFINITY;
    const starts = victims.filter(({ priority }) => priority === highest).map(startTime);
    // Priorities may be negative: the offset keeps a longer list from looking cheaper.
    const sum = victims.reduce((total, { priority }) => total + priority + 2 ** 31, 0);
    return [violations, highest, sum, victims.length, -Math.min(...starts)];
  };
  let best: { candidate: Candidate; rank: readonly number[] } | undefined;
  for (const candidate of candidates) {
    const own = rank(candidate);
    const first = best?.rank.findIndex((value, i) => value !== own[i]) ?? 0;
    if (best === undefined || (first >= 0 && (own[first] ?? 0) < (best.rank[first] ?? 0))) best = { candidate, rank: own };
  }
  return best?.candidate;
}

function startTime({ pod }: PodInfo): number {
  return parseTime(pod.status?.startTime) ?? Number.MAX_SAFE_INTEGER;
}

function byImportance(a: PodInfo, b: PodInfo): number {
  return b.priority - a.priority || startTime(a) - startTime(b);
}

/** The most important first. Of pods of one priority that have not started, upstream holds the last to come the most important. */
function inOrderOfImportance(pods: readonly PodInfo[]): PodInfo[] {
  const started = pods.filter(({ pod }) => pod.status?.startTime !== undefined);
  const notStarted = pods.filter(({ pod }) => pod.status?.startTime === undefined).reverse();
  return [...started, ...notStarted].sort(byImportance);
}

function splitByBudgets(pods: readonly PodInfo[], budgetsOf: BudgetsOf): { violating: PodInfo[]; others: PodInfo[] } {
  const left = new Map<PodDisruptionBudget, number>();
  const violating: PodInfo[] = [];
  const others: PodInfo[] = [];
  for (const info of pods) {
    const { labels = {}, name = "" } = info.pod.metadata;
    let violates = false;
    for (const budget of Object.keys(labels).length === 0 ? [] : budgetsOf(info.pod)) {
      // A pod whose disruption is already counted is not counted again.
      if (ownValue(budget.status?.disruptedPods, name) !== undefined) continue;
      const rest = (left.get(budget) ?? budget.status?.disruptionsAllowed ?? 0) - 1;
      left.set(budget, rest);
      if (rest < 0) violates = true;
    }
    (violates ? violating : others).push(info);
  }
  return { violating, others };
}
