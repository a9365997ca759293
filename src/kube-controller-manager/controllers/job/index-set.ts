/** A set of completion indexes as ranges in ascending order; both ends belong to a range. */
export type IndexSet = readonly (readonly [first: number, last: number])[];

/** Nothing done yet. */
export const NO_INDEXES: IndexSet = [];

/**
 * Reads `0-2,4`, as a Job's status writes it. Indexes that are not below `completions` are dropped; what cannot be read
 * ends the list, as upstream does.
 */
export function parseIndexes(text: string | undefined, completions: number): IndexSet {
  const ranges: [number, number][] = [];
  for (const part of text === undefined || text === "" ? [] : text.split(",")) {
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined) return [];
    const from = Number(first);
    if (from >= completions) break;
    const to = Math.min(Number(last ?? first), completions - 1);
    const previous = ranges.at(-1);
    if (previous !== undefined && from <= previous[1] + 1) previous[1] = Math.max(previous[1], to);
    else ranges.push([from, to]);
  }
  return ranges;
}

/** The inverse of {@link parseIndexes}: two neighbours stand alone, three and more become a range. */
export function formatIndexes(indexes: IndexSet): string {
  return indexes
    .map(([first, last]) => (first === last ? `${first}` : `${first}${last === first + 1 ? "," : "-"}${last}`))
    .join(",");
}

/** How many indexes there are. */
export function countIndexes(indexes: IndexSet): number {
  return indexes.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** Whether an index is one of them. */
export function hasIndex(indexes: IndexSet, index: number): boolean {
  return indexes.some(([first, last]) => first <= index && index <= last);
}

/** All indexes of both. */
export function unionIndexes(a: IndexSet, b: IndexSet): IndexSet {
  const merged: [number, number][] = [];
  for (const [first, last] of [...a, ...b].sort((x, y) => x[0] - y[0])) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

/** How many indexes both have. */
export function countCommonIndexes(a: IndexSet, b: IndexSet): number {
  let count = 0;
  for (const [first, last] of a) {
    for (const [from, to] of b) count += Math.max(0, Math.min(last, to) - Math.max(first, from) + 1);
  }
  return count;
}

/** Single indexes as a set, in whatever order they come. */
export function indexSetOf(indexes: Iterable<number>): IndexSet {
  return unionIndexes(
    [...indexes].map((index) => [index, index] as const),
    [],
  );
}

/** The lowest `count` indexes below `completions` that are not in the set. */
export function firstAbsentIndexes(indexes: IndexSet, count: number, completions: number): number[] {
  const absent: number[] = [];
  let next = 0;
  for (const [first, last] of [...indexes, [completions, completions] as const]) {
    for (; next < Math.min(first, completions) && absent.length < count; next++) absent.push(next);
    next = Math.max(next, last + 1);
  }
  return absent;
}
