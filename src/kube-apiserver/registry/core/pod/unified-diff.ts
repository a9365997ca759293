/**
 * The unified diff that upstream puts into messages about immutable fields: Ratcliff and Obershelp's matching as in
 * Python's difflib, with its heuristic about popular lines, and three lines of context.
 */

const CONTEXT_LINES = 3;
/** From this many lines on, those that make up more than one percent do not start a match. */
const POPULAR_FROM_LINES = 200;

interface Match {
  readonly a: number;
  readonly b: number;
  readonly size: number;
}

interface OpCode {
  readonly tag: "equal" | "replace" | "delete" | "insert";
  readonly a1: number;
  readonly a2: number;
  readonly b1: number;
  readonly b2: number;
}

/** The differences of two values' JSON texts, as hunks without file names; empty when there are none. */
export function jsonDiff(before: unknown, after: unknown): string {
  return unifiedDiff(JSON.stringify(before, null, 1), JSON.stringify(after, null, 1));
}

function unifiedDiff(before: string, after: string): string {
  const a = before.split("\n");
  const b = after.split("\n");
  let out = "";
  for (const group of groupedOpCodes(opCodes(a, b))) {
    const first = group[0];
    const last = group[group.length - 1];
    if (!first || !last) continue;
    out += `@@ -${range(first.a1, last.a2)} +${range(first.b1, last.b2)} @@\n`;
    for (const code of group) {
      if (code.tag === "equal") {
        for (const line of a.slice(code.a1, code.a2)) out += ` ${line}\n`;
        continue;
      }
      for (const line of a.slice(code.a1, code.a2)) out += `-${line}\n`;
      for (const line of b.slice(code.b1, code.b2)) out += `+${line}\n`;
    }
  }
  return out;
}

function range(start: number, stop: number): string {
  const length = stop - start;
  if (length === 1) return `${start + 1}`;
  return `${length === 0 ? start : start + 1},${length}`;
}

function positions(lines: readonly string[]): Map<string, number[]> {
  const index = new Map<string, number[]>();
  lines.forEach((line, i) => {
    const known = index.get(line);
    if (known) known.push(i);
    else index.set(line, [i]);
  });
  if (lines.length >= POPULAR_FROM_LINES) {
    const most = Math.floor(lines.length / 100) + 1;
    for (const [line, at] of index) if (at.length > most) index.delete(line);
  }
  return index;
}

function longestMatch(
  a: readonly string[],
  b: readonly string[],
  index: ReadonlyMap<string, readonly number[]>,
  [aLow, aHigh, bLow, bHigh]: readonly [number, number, number, number],
): Match {
  let bestA = aLow;
  let bestB = bLow;
  let size = 0;
  let lengths = new Map<number, number>();
  for (let i = aLow; i < aHigh; i++) {
    const next = new Map<number, number>();
    for (const j of index.get(a[i] ?? "") ?? []) {
      if (j < bLow) continue;
      if (j >= bHigh) break;
      const length = (lengths.get(j - 1) ?? 0) + 1;
      next.set(j, length);
      if (length > size) {
        bestA = i - length + 1;
        bestB = j - length + 1;
        size = length;
      }
    }
    lengths = next;
  }
  while (bestA > aLow && bestB > bLow && a[bestA - 1] === b[bestB - 1]) {
    bestA--;
    bestB--;
    size++;
  }
  while (bestA + size < aHigh && bestB + size < bHigh && a[bestA + size] === b[bestB + size]) size++;
  return { a: bestA, b: bestB, size };
}

function matchingBlocks(a: readonly string[], b: readonly string[]): Match[] {
  const index = positions(b);
  const found: Match[] = [];
  const search = (aLow: number, aHigh: number, bLow: number, bHigh: number): void => {
    const match = longestMatch(a, b, index, [aLow, aHigh, bLow, bHigh]);
    if (match.size === 0) return;
    if (aLow < match.a && bLow < match.b) search(aLow, match.a, bLow, match.b);
    found.push(match);
    if (match.a + match.size < aHigh && match.b + match.size < bHigh) {
      search(match.a + match.size, aHigh, match.b + match.size, bHigh);
    }
  };
  search(0, a.length, 0, b.length);
  const joined: Match[] = [];
  for (const match of found) {
    const last = joined[joined.length - 1];
    if (last && last.a + last.size === match.a && last.b + last.size === match.b) {
      joined[joined.length - 1] = { ...last, size: last.size + match.size };
    } else joined.push(match);
  }
  return [...joined, { a: a.length, b: b.length, size: 0 }];
}

function opCodes(a: readonly string[], b: readonly string[]): OpCode[] {
  const codes: OpCode[] = [];
  let i = 0;
  let j = 0;
  for (const match of matchingBlocks(a, b)) {
    const range = { a1: i, a2: match.a, b1: j, b2: match.b };
    if (i < match.a && j < match.b) codes.push({ tag: "replace", ...range });
    else if (i < match.a) codes.push({ tag: "delete", ...range });
    else if (j < match.b) codes.push({ tag: "insert", ...range });
    i = match.a + match.size;
    j = match.b + match.size;
    if (match.size > 0) codes.push({ tag: "equal", a1: match.a, a2: i, b1: match.b, b2: j });
  }
  return codes;
}

function groupedOpCodes(codes: readonly OpCode[]): OpCode[][] {
  const groups: OpCode[][] = [];
  let group: OpCode[] = [];
  codes.forEach((code, position) => {
    let { a1, a2, b1, b2 } = code;
    if (code.tag === "equal" && position === 0) {
      a1 = Math.max(a1, a2 - CONTEXT_LINES);
      b1 = Math.max(b1, b2 - CONTEXT_LINES);
    }
    if (code.tag === "equal" && position === codes.length - 1) {
      a2 = Math.min(a2, a1 + CONTEXT_LINES);
      b2 = Math.min(b2, b1 + CONTEXT_LINES);
    }
    if (code.tag === "equal" && a2 - a1 > 2 * CONTEXT_LINES) {
      group.push({ tag: "equal", a1, a2: Math.min(a2, a1 + CONTEXT_LINES), b1, b2: Math.min(b2, b1 + CONTEXT_LINES) });
      groups.push(group);
      group = [];
      a1 = Math.max(a1, a2 - CONTEXT_LINES);
      b1 = Math.max(b1, b2 - CONTEXT_LINES);
    }
    group.push({ tag: code.tag, a1, a2, b1, b2 });
  });
  if (group.length > 0 && !(group.length === 1 && group[0]?.tag === "equal")) groups.push(group);
  return groups;
}
