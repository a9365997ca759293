/** The smallest and the largest that a cost or a size can be. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What has no limit; upstream counts in unsigned 64-bit integers that stop at their largest. */
export const UNLIMITED: number = 2 ** 64;

/** Nothing is known. */
export const UNKNOWN: Range = { min: 0, max: UNLIMITED };

/** One number for sure. */
export function exactly(value: number): Range {
  return { min: value, max: value };
}

function capped(value: number): number {
  return Math.min(value, UNLIMITED);
}

/** The sum. */
export function plus(...ranges: readonly Range[]): Range {
  let [min, max] = [0, 0];
  for (const range of ranges) {
    min = capped(min + range.min);
    max = capped(max + range.max);
  }
  return { min, max };
}

/** The product. */
export function times(a: Range, b: Range): Range {
  return { min: capped(a.min * b.min), max: capped(a.max * b.max) };
}

/** So many per unit, rounded up. */
export function perUnit(range: Range, factor: number): Range {
  return { min: capped(Math.ceil(range.min * factor)), max: capped(Math.ceil(range.max * factor)) };
}

/** What takes in both. */
export function union(a: Range, b: Range): Range {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}
