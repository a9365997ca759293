import type { Pod } from "#api/generated/core/v1.ts";
import { podAffinityTerms, termMatches } from "../../framework/affinity-terms.ts";
import type { ClusterEvent } from "../../framework/cluster-event.ts";
import type { ClusterLister } from "../../framework/cluster-lister.ts";
import { TallyStore } from "../../framework/node-tally.ts";
import type { FilterPlugin, Plugin, PreFilterPlugin, PreScorePlugin, ScorePlugin } from "../../framework/plugin.ts";
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

  /** Whether a pod that came, went or changed may matter to the one that waits. */
  function hintOfPod(pod: Pod, event: ClusterEvent): "Queue" | "Skip" {
    if (event.resource !== "AssignedPod") return "Skip";
    const own = podAffinityTerms(pod);
    const means = (terms: typeof own.requiredAffinity, target: Pod): boolean =>
      terms.some((term) => termMatches(term, target, namespaceLabels));
    if (means([...own.requiredAffinity, ...own.requiredAntiAffinity], event.pod)) return "Queue";
    return means(podAffinityTerms(event.pod).requiredAntiAffinity, pod) ? "Queue" : "Skip";
  }

  return {
    name: NAME,
    weight: 2,
    eventsToRegister: [
      { resource: "AssignedPod", actions: ["add", "delete"], queueingHint: hintOfPod },
      // The labels that it had are not known any more.
      { resource: "AssignedPod", actions: ["updateLabel"] },
      { resource: "Node", actions: ["add", "updateLabel", "updateTaint"] },
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
