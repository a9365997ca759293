/** A number of replicas that the metrics called for, before any limit. */
export interface Recommendation {
  readonly replicas: number;
  readonly atMs: number;
}

/** Replicas that were added or removed at once. */
export interface ScaleEvent {
  readonly change: number;
  readonly atMs: number;
}

/** What is remembered of one autoscaler between two looks; lost when the process ends, as upstream. */
export interface History {
  readonly recommendations: readonly Recommendation[];
  readonly ups: readonly ScaleEvent[];
  readonly downs: readonly ScaleEvent[];
}

/** Of an autoscaler seen for the first time. */
export const NO_HISTORY: History = { recommendations: [], ups: [], downs: [] };

/** What is younger than `windowMs`, and the newest. */
export function remember<T extends { readonly atMs: number }>(past: readonly T[], newest: T, windowMs: number): readonly T[] {
  return [...past.filter(({ atMs }) => atMs >= newest.atMs - windowMs), newest];
}
