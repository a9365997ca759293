import type { Pod } from "#api/generated/core/v1.ts";
import type { ClusterLister } from "../../framework/cluster-lister.ts";
import { TallyStore } from "../../framework/node-tally.ts";
import type { FilterPlugin, Plugin, PreFilterPlugin, PreScorePlugin, ScorePlugin } from "../../framework/plugin.ts";
import { SKIP, SUCCESS } from "../../framework/status.ts";
import { constraintsOf, podMatcher, type SpreadConstraint } from "./constraints.ts";
import { defaultSelector } from "./default-selector.ts";
import type { DomainTally } from "./domain-tally.ts";
import { HardConstraints } from "./hard-constraints.ts";
import { NOT_RATED, normalizeCosts, SoftConstraints } from "./soft-constraints.ts";
import { hintOfNode, hintOfPod, hintOfToleration } from "./spread-hints.ts";

const NAME = "PodTopologySpread";
const FILTER_STATE = `PreFilter${NAME}`;
const SCORE_STATE = `PreScore${NAME}`;

/** What holds for pods without constraints of their own: apart by host, and by zone where there are zones. */
const SYSTEM_DEFAULTS: readonly Omit<SpreadConstraint, "matcher">[] = [
  { topologyKey: "kubernetes.io/hostname", maxSkew: 3, minDomains: 1, honorsAffinity: true, honorsTaints: false },
  { topologyKey: "topology.kubernetes.io/zone", maxSkew: 5, minDomains: 1, honorsAffinity: true, honorsTaints: false },
];

/** Pods that are to be spread evenly over hosts, zones and the like (KEP-895). */
export function podTopologySpread(
  cluster: ClusterLister,
): Plugin & PreFilterPlugin & FilterPlugin & PreScorePlugin & ScorePlugin {
  const tallies = new TallyStore<DomainTally>();

  function softConstraints(pod: Pod): readonly SpreadConstraint[] {
    if ((pod.spec.topologySpreadConstraints?.length ?? 0) > 0) return constraintsOf(pod, "ScheduleAnyway");
    const selector = defaultSelector(pod, cluster);
    if (selector.empty) return [];
    const matcher = podMatcher(selector, pod.metadata.namespace ?? "");
    return SYSTEM_DEFAULTS.map((constraint) => ({ ...constraint, matcher }));
  }

  return {
    name: NAME,
    weight: 2,
    eventsToRegister: [
      { resource: "AssignedPod", actions: ["add", "delete", "updateLabel"], queueingHint: hintOfPod },
      { resource: "Node", actions: ["add", "delete", "updateLabel", "updateTaint"], queueingHint: hintOfNode },
      { resource: "UnscheduledPod", actions: ["updateLabel"] },
      { resource: "UnscheduledPod", actions: ["updateToleration"], queueingHint: hintOfToleration },
    ],

    preFilter(state, pod) {
      const constraints = constraintsOf(pod.pod, "DoNotSchedule");
      if (constraints.length === 0) return { status: SKIP };
      state.write(FILTER_STATE, new HardConstraints(pod, constraints, { nodes: cluster.nodes(), tallies }));
      return { status: SUCCESS };
    },

    filter: (state, _, node) => state.read<HardConstraints>(FILTER_STATE)?.verdictOn(node) ?? SUCCESS,

    preScore(state, pod, feasible) {
      const constraints = softConstraints(pod.pod);
      if (constraints.length === 0) return SKIP;
      const requireAll = (pod.pod.spec.topologySpreadConstraints?.length ?? 0) > 0;
      state.write(SCORE_STATE, new SoftConstraints(pod, constraints, { feasible, nodes: cluster.nodes(), tallies, requireAll }));
      return SUCCESS;
    },

    score: (state, _, node) => state.read<SoftConstraints>(SCORE_STATE)?.cost(node) ?? NOT_RATED,

    normalizeScores: normalizeCosts,
  };
}
