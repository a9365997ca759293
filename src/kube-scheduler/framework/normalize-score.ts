import { NODE_SCORE_MAX } from "./plugin.ts";

/** Scales the scores, in place, so that the highest becomes the maximum; `reverse` makes the lowest the best. */
export function defaultNormalizeScores(scores: number[], reverse: boolean): void {
  let highest = 0;
  for (const score of scores) if (score > highest) highest = score;
  for (let i = 0; i < scores.length; i++) {
    const scaled = highest === 0 ? 0 : Math.trunc((NODE_SCORE_MAX * (scores[i] ?? 0)) / highest);
    scores[i] = reverse ? NODE_SCORE_MAX - scaled : scaled;
  }
}
