import { goQuote } from "#apimachinery/validation/field-error.ts";

/** A range of completion indexes, both ends included. */
export interface IndexInterval {
  readonly first: number;
  readonly last: number;
}

/** One part of a text such as `0-2,5`; what is wrong with it otherwise. `completions` bounds the indexes. */
export function parseIndexInterval(text: string, completions: number): IndexInterval | string {
  const limits = text.split("-");
  if (limits.length > 2) {
    return `the fragment ${goQuote(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  }
  const numbers: number[] = [];
  for (const limit of limits) {
    if (!/^[+-]?\d+$/.test(limit)) return `cannot convert string to integer for index: ${goQuote(limit)}`;
    const value = Number(limit);
    if (value >= completions) return `too large index: ${goQuote(limit)}`;
    numbers.push(value);
  }
  const [first = 0, last = first] = numbers;
  if (numbers.length === 2 && first >= last) return `non-increasing order, previous: ${first}, current: ${last}`;
  return { first, last };
}

/** How many indexes a text such as `0-2,5` names; what is wrong with it otherwise. */
export function countIndexes(text: string, completions: number): number | string {
  if (text === "") return 0;
  let total = 0;
  let previous: number | undefined;
  for (const part of text.split(",")) {
    const interval = parseIndexInterval(part, completions);
    if (typeof interval === "string") return interval;
    const { first, last } = interval;
    if (previous !== undefined && previous >= first) return `non-increasing order, previous: ${previous}, current: ${first}`;
    total += last - first + 1;
    previous = last;
  }
  return total;
}

/** The first index that two such texts share. Parts that cannot be read are passed over. */
export function firstSharedIndex(a: string, b: string, completions: number): number | undefined {
  if (a === "" || b === "") return undefined;
  const intervals = (text: string): IndexInterval[] =>
    text.split(",").flatMap((part) => {
      const interval = parseIndexInterval(part, completions);
      return typeof interval === "string" ? [] : [interval];
    });
  const left = intervals(a);
  const right = intervals(b);
  for (let i = 0, j = 0; ; ) {
    const x = left[i];
    const y = right[j];
    if (!x || !y) return undefined;
    if (x.first <= y.last && y.first <= x.last) return Math.max(x.first, y.first);
    if (x.first <= y.first) i++;
    else j++;
  }
}
