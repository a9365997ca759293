import type { Pod } from "#api/generated/core/v1.ts";
import { ownValue } from "#base/own-value.ts";
import { type AffinityTerm, podAffinityTerms, termMatches } from "../../framework/affinity-terms.ts";
import type { ClusterEvent } from "../../framework/cluster-event.ts";
import type { ClusterLister } from "../../framework/cluster-lister.ts";
import { TallyStore } from "../../framework/node-tally.ts";
import type { FilterPlugin, Plugin, PreFilterPlugin, PreScorePlugin, ScorePlugin } from "../../framework/plugin.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { SKIP, SUCCESS } from "../../framework/status.ts";
import { normalizeBetweenExtremes, topologyScores } from "./preferred-terms.ts";
import { RequiredTerms, type TermsAround } from "./required-terms.ts";
import { SpeakingNodes } from "./speaking-nodes.ts";
import type { TermTally } from "./term-tally.ts";
import type { TopologyCounts } from "./topology-counts.ts";

const NAME = "InterPodAffinity";
const FILTER_STATE = `PreFilter${NAME}`;
const SCORE_STATE = `PreScore${NAME}`;

/** Pods that want to be near other pods, or away from them. */
export function interPodAffinity(cluster: ClusterLister): Plugin & PreFilterPlugin & FilterPlugin & PreScorePlugin & ScorePlugin {
  const tallies = new TallyStore<TermTally>();
  const namespaceLabels = (namespace: string): ReturnType<ClusterLister["namespaceLabels"]> => cluster.namespaceLabels(namespace);

  const speaking = new SpeakingNodes();

  function around(): TermsAround {
    const nodes = cluster.nodes();
    return { nodes, speaking: speaking.refresh(nodes), namespaceLabels, tallies };
  }

  const means = (term: AffinityTerm, target: Pod): boolean => termMatches(term, target, namespaceLabels);

  /** Whether a pod that came, went or got other labels may matter to the one that waits. */
  function hintOfPod({ pod, affinity }: PodInfo, event: ClusterEvent): "Queue" | "Skip" {
    if (event.resource !== "AssignedPod") return "Skip";
    const { requiredAffinity, requiredAntiAffinity } = affinity;
    const { pod: other, old } = event;
    if (event.action === "add") {
      // It is near those pods only that all its terms mean.
      return requiredAffinity.length > 0 && requiredAffinity.every((term) => means(term, other)) ? "Queue" : "Skip";
    }
    const own = [...requiredAffinity, ...requiredAntiAffinity];
    if (event.action === "updateLabel" && old !== undefined) {
      return own.some((term) => means(term, old) !== means(term, other)) ? "Queue" : "Skip";
    }
    // Where the last of those that it wants to be near goes, it may be the first.
    if (own.some((term) => means(term, other))) return "Queue";
    return podAffinityTerms(other).requiredAntiAffinity.some((term) => means(term, pod)) ? "Queue" : "Skip";
  }

  return {
    name: NAME,
    weight: 2,
    eventsToRegister: [
      { resource: "AssignedPod", actions: ["add", "delete", "updateLabel"], queueingHint: hintOfPod },
      { resource: "Node", actions: ["add", "updateLabel"], queueingHint: hintOfNode },
      { resource: "UnscheduledPod", actions: ["updateLabel"] },
    ],

    preFilter(state, pod) {
      const { requiredAffinity, requiredAntiAffinity } = pod.affinity;
      const says = requiredAffinity.length + requiredAntiAffinity.length > 0;
      const others = around();
      // The usual case has to be cheap: no pod says anything of others.
      if (!says && !others.speaking.refusing) return { status: SKIP };
      const terms = new RequiredTerms(pod, others);
      if (terms.trivial) return { status: SKIP };
      state.write(FILTER_STATE, terms);
      return { status: SUCCESS };
    },

    filter: (state, _, node) => state.read<RequiredTerms>(FILTER_STATE)?.verdictOn(node) ?? SUCCESS,

    preScore(state, pod) {
      const scores = topologyScores(pod, around());
      if (scores === undefined) return SKIP;
      state.write(SCORE_STATE, scores);
      return SUCCESS;
    },

    score: (state, _, { node }) => (node === undefined ? 0 : (state.read<TopologyCounts>(SCORE_STATE)?.sumFor(node) ?? 0)),

    normalizeScores: normalizeBetweenExtremes,
  };
}

/** A node that is, and was, in no topology that a pod's affinity is about does not bring it nearer to others. */
function hintOfNode({ affinity: { requiredAffinity } }: PodInfo, event: ClusterEvent): "Queue" | "Skip" {
  if (event.resource !== "Node") return "Skip";
  const places = [event.node, ...(event.old === undefined ? [] : [event.old])].map(({ metadata }) => metadata.labels ?? {});
  const isIn = ({ topologyKey }: AffinityTerm): boolean => places.some((labels) => ownValue(labels, topologyKey) !== undefined);
  return requiredAffinity.length === 0 || requiredAffinity.some(isIn) ? "Queue" : "Skip";
}
