import { type AffinityTerm, termMatches } from "../../framework/affinity-terms.ts";
import { NODE_SCORE_MAX } from "../../framework/plugin.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import type { TermsAround } from "./required-terms.ts";
import { type CountTerms, idAsTarget, idOfTerms, TermTally } from "./term-tally.ts";
import type { TopologyCounts } from "./topology-counts.ts";

/** What a required affinity of another pod is worth, when it means the pod; upstream's `hardPodAffinityWeight`. */
const HARD_POD_AFFINITY_WEIGHT = 1;

/**
 * How much each topology is worth to a pod: what it prefers itself, and what the pods that are there prefer. Undefined when
 * nobody says anything.
 */
export function topologyScores(
  pod: PodInfo,
  { nodes, speaking, namespaceLabels, tallies }: TermsAround,
): TopologyCounts | undefined {
  const { preferredAffinity, preferredAntiAffinity } = pod.affinity;
  const prefers = preferredAffinity.length + preferredAntiAffinity.length > 0;
  // Called for every pod: where nobody says anything there is nothing to do.
  if (!prefers && !speaking.some) return undefined;
  const key = `worth ${idOfTerms(preferredAffinity)} ${idOfTerms(preferredAntiAffinity)} ${idAsTarget(pod)}`;
  const { counts } = tallies.get(key, () => new TermTally(countWorth(pod), namespaceLabels)).refresh(nodes);
  return counts.used ? counts : undefined;
}

function countWorth(pod: PodInfo): CountTerms {
  const { preferredAffinity, preferredAntiAffinity } = pod.affinity;
  const prefers = preferredAffinity.length + preferredAntiAffinity.length > 0;
  return (info, namespaceLabels, addTo) => {
    const add = (terms: readonly AffinityTerm[], target: PodInfo, factor: number): void => {
      for (const term of terms) {
        if (termMatches(term, target.pod, namespaceLabels)) addTo(term.topologyKey, term.weight * factor);
      }
    };
    for (const other of (prefers ? info.pods : info.podsWithAffinity).values()) {
      add(preferredAffinity, other, 1);
      add(preferredAntiAffinity, other, -1);
      add(other.affinity.requiredAffinity, pod, HARD_POD_AFFINITY_WEIGHT);
      add(other.affinity.preferredAffinity, pod, 1);
      add(other.affinity.preferredAntiAffinity, pod, -1);
    }
  };
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
