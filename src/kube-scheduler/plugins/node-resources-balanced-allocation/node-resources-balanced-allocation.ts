import { NODE_SCORE_MAX, type Plugin, type PreScorePlugin, type ScorePlugin } from "../../framework/plugin.ts";
import { SKIP, SUCCESS } from "../../framework/status.ts";

/** Prefers nodes whose CPU and memory would be used to the same degree. Says nothing of pods that request neither. */
export function nodeResourcesBalancedAllocation(): Plugin & PreScorePlugin & ScorePlugin {
  return {
    name: "NodeResourcesBalancedAllocation",
    weight: 1,
    preScore: (_, { requests }) => (requests.milliCpu === 0 && requests.memoryBytes === 0 ? SKIP : SUCCESS),
    score(_, { requests }, { allocatable, requested }) {
      if (allocatable.milliCpu === 0 || allocatable.memoryBytes === 0) return NODE_SCORE_MAX;
      const cpu = Math.min(1, (requested.milliCpu + requests.milliCpu) / allocatable.milliCpu);
      const memory = Math.min(1, (requested.memoryBytes + requests.memoryBytes) / allocatable.memoryBytes);
      // The standard deviation of two numbers.
      return Math.trunc((1 - Math.abs((cpu - memory) / 2)) * NODE_SCORE_MAX);
    },
  };
}
