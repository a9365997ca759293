import type { Parameters } from "fast-check";

/**
 * How a property is tried: `PROPERTY_RUNS` multiplies the number of runs, `PROPERTY_SEED` repeats those of a seed that a failure
 * printed. Without it each time another seed is taken.
 */
export function runs(count: number): Parameters<unknown> {
  const { PROPERTY_RUNS: factor = "1", PROPERTY_SEED: seed } = process.env;
  return { numRuns: Math.ceil(count * Number(factor)), ...(seed === undefined ? {} : { seed: Number(seed) }) };
}
