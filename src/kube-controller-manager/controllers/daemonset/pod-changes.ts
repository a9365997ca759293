import type { Pod } from "#api/generated/core/v1.ts";

/** Pods created or deleted in one pass; the rest follows in the next. */
export const BURST_REPLICAS = 250;

/** Pods to delete, and nodes to put a pod on. */
export interface PodChanges {
  readonly remove: readonly Pod[];
  readonly addOn: readonly string[];
}

/** No change at all. */
export function isNothing({ remove, addOn }: PodChanges): boolean {
  return remove.length === 0 && addOn.length === 0;
}

/** As much of it as one pass does. */
export function limit({ remove, addOn }: PodChanges): PodChanges {
  return { remove: remove.slice(0, BURST_REPLICAS), addOn: addOn.slice(0, BURST_REPLICAS) };
}

/** The first so many, and no more than one pass does: the others are not looked at. */
export function first<T>(all: Iterable<T>, count: number = BURST_REPLICAS): readonly T[] {
  const most = Math.min(count, BURST_REPLICAS);
  const taken: T[] = [];
  for (const one of all) {
    if (taken.length >= most) break;
    taken.push(one);
  }
  return taken;
}
