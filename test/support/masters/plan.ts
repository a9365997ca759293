import type { Random } from "#base/random.ts";

/** A plan: each of the faults once, in an order of its own. */
export function shuffled<T>(random: Random, items: readonly T[]): readonly T[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.int(rest.length), 1)[0] as T);
}
