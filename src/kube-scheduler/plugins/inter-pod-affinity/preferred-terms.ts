import type { Node } from "#api/generated/core/v1.ts";
import { type AffinityTerm, type NamespaceLabels, termMatches } from "../../framework/affinity-terms.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import { NODE_SCORE_MAX } from "../../framework/plugin.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import { TopologyCounts } from "./topology-counts.ts";

/** What a required affinity of another pod is worth, when it means the pod; upstream's `hardPodAffinityWeight`. */
const HARD_POD_AFFINITY_WEIGHT = 1;

/** How much each topology is worth to a pod: what it prefers itself, and what the pods that are there prefer. */
export function topologyScores(pod: PodInfo, nodes: readonly NodeInfo[], namespaceLabels: NamespaceLabels): TopologyCounts {
  const { preferredAffinity, preferredAntiAffinity } = pod.affinity;
  const prefers = preferredAffinity.length + preferredAntiAffinity.length > 0;
  const scores = new TopologyCounts();
  for (const info of nodes) {
    const { node } = info;
    // Called for every pod: where nobody says anything there is nothing to do.
    if (node === undefined || (!prefers && info.podsWithAffinity.size === 0)) continue;
    const add = (terms: readonly AffinityTerm[], target: PodInfo, node: Node, factor: number): void => {
      for (const term of terms) {
        if (termMatches(term, target.pod, namespaceLabels)) scores.add(term.topologyKey, node, term.weight * factor);
      }
    };
    for (const other of (prefers ? info.pods : info.podsWithAffinity).values()) {
      add(preferredAffinity, other, node, 1);
      add(preferredAntiAffinity, other, node, -1);
      add(other.affinity.requiredAffinity, pod, node, HARD_POD_AFFINITY_WEIGHT);
      add(other.affinity.preferredAffinity, pod, node, 1);
      add(other.affinity.preferredAntiAffinity, pod, node, -1);
    }
  }
  return scores;
}

/** Brings scores, which may be negative, in place between 0 and the maximum. */
export function normalizeBetweenExtremes(scores: number[]): void {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const score of scores) {
    if (score < least) least = score;
    if (score > most) most = score;
  }
  const span = most - least;
  for (let i = 0; i < scores.length; i++) {
    scores[i] = span > 0 ? Math.trunc(NODE_SCORE_MAX * (((scores[i] ?? 0) - least) / span)) : 0;
  }
}
