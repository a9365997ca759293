import type { Pod } from "#api/generated/core/v1.ts";
import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import type { Random } from "#base/random.ts";
import { podCondition } from "#component-helpers/pod/pod-conditions.ts";
import type { CycleState } from "../../framework/cycle-state.ts";
import { type Diagnosis, fitErrorMessage } from "../../framework/fit-error.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { Plugin, PostFilterPlugin, PostFilterResult } from "../../framework/plugin.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { type Status, SUCCESS, unresolvable, unschedulable } from "../../framework/status.ts";
import { type Candidate, pickCandidate, selectVictims } from "./victims.ts";

/** What preemption needs of the scheduler. */
export interface PreemptionHandle {
  readonly random: Random;
  nodes(): readonly NodeInfo[];
  /** Those that select the pod. */
  budgetsOf(pod: Pod): readonly PodDisruptionBudget[];
  nominatedNodeOf(uid: string): string | undefined;
  /** Whether the pod would fit the node as it is recorded now. */
  filter(state: CycleState, pod: PodInfo, node: NodeInfo): Status;
  /** Removes the victims in the background. */
  evict(victims: readonly PodInfo[], preemptor: PodInfo, nodeName: string): void;
}

const CANDIDATES_PERCENTAGE = 10;
const CANDIDATES_MIN = 100;
const NOT_HELPFUL = unresolvable("Preemption is not helpful for scheduling");

/** How many nodes that would do are enough to choose from: upstream's `minCandidateNodesPercentage` and `minCandidateNodesAbsolute`. */
export function candidatesWanted(nodes: number): number {
  return Math.min(nodes, Math.max(CANDIDATES_MIN, Math.trunc((nodes * CANDIDATES_PERCENTAGE) / 100)));
}

/** Evicts less important pods from one node so that the pod fits there. */
export function defaultPreemption(handle: PreemptionHandle): Plugin & PostFilterPlugin {
  return {
    name: "DefaultPreemption",
    eventsToRegister: [{ resource: "AssignedPod", actions: ["delete"] }],
    postFilter(state, pod, diagnosis): PostFilterResult {
      const refusal = ineligible(pod, diagnosis, handle);
      if (refusal !== undefined) return { status: unschedulable(`preemption: ${refusal}`) };
      const statuses = new Map<string, Status>();
      const candidates: Candidate[] = [];
      let sparesBudgets = false;
      const nodes = handle
        .nodes()
        .filter(({ name }) => (diagnosis.nodeStatuses.get(name) ?? diagnosis.absentNodesStatus)?.code === "Unschedulable");
      const wanted = candidatesWanted(nodes.length);
      // Not always the same nodes are the first.
      const start = nodes.length > wanted ? handle.random.int(nodes.length) : 0;
      for (let i = 0; i < nodes.length && !(sparesBudgets && candidates.length >= wanted); i++) {
        const node = nodes[(start + i) % nodes.length] as NodeInfo;
        const outcome = selectVictims(pod, node, handle.budgetsOf, () => handle.filter(state, pod, node));
        if ("node" in outcome) {
          candidates.push(outcome);
          sparesBudgets ||= outcome.violations === 0;
        } else statuses.set(node.name, outcome);
      }
      const chosen = pickCandidate(candidates);
      if (chosen !== undefined) {
        handle.evict(chosen.victims, pod, chosen.node.name);
        return { status: SUCCESS, nominatedNodeName: chosen.node.name };
      }
      const message = fitErrorMessage({
        nodeCount: diagnosis.nodeCount,
        nodeStatuses: statuses,
        absentNodesStatus: NOT_HELPFUL,
        rejectors: new Set(),
      });
      return { status: unschedulable(`preemption: ${message}`), nominatedNodeName: "" };
    },
  };
}

function ineligible(pod: PodInfo, diagnosis: Diagnosis, handle: PreemptionHandle): string | undefined {
  if (pod.pod.spec.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const nominated = handle.nominatedNodeOf(pod.uid) ?? pod.pod.status?.nominatedNodeName;
  if (!nominated) return undefined;
  // The node may have become impossible since: then another one may be tried.
  const verdict = diagnosis.nodeStatuses.get(nominated) ?? diagnosis.absentNodesStatus;
  if (verdict?.code === "UnschedulableAndUnresolvable") return undefined;
  const node = handle.nodes().find(({ name }) => name === nominated);
  for (const other of node?.pods.values() ?? []) {
    if (other.priority >= pod.priority || other.pod.metadata.deletionTimestamp === undefined) continue;
    if (podCondition(other.pod, "DisruptionTarget")?.reason !== "PreemptionByScheduler") continue;
    return "not eligible due to a terminating pod on the nominated node.";
  }
  return undefined;
}
