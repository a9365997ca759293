/**
 * A set of field paths in the form of `fieldsV1` itself: a key for each step (`f:name`, `k:{...}`, `v:...`), and `.` for a
 * path that is a member though others go on from it; a path with nothing behind it is a member. The root is none.
 * Sets are never changed once made, and share their parts.
 */
export interface FieldSet {
  readonly [step: string]: FieldSet;
}

/** Marks a path that is a member and goes no further. */
export const LEAF: FieldSet = Object.freeze({});
/** The step that makes a path with children a member. */
export const SELF = ".";

/** Whether the path of this node is in the set. */
export function isMember(node: FieldSet): boolean {
  for (const step in node) return step === SELF || Object.hasOwn(node, SELF);
  return true;
}

/** Whether a root has no members. */
export function isEmptySet(root: FieldSet): boolean {
  for (const step in root) if (step !== SELF) return false;
  return true;
}

/** A node of children that are in order, and of its own membership. */
export function makeNode(member: boolean, children: readonly (readonly [string, FieldSet])[]): FieldSet {
  if (children.length === 0) return LEAF;
  const node: Record<string, FieldSet> = {};
  if (member) node[SELF] = LEAF;
  for (const [step, child] of children) node[step] = child;
  return node;
}

/** All paths of both; `a` itself where it has all of `b` and is in order. */
export function unionSets(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || b === LEAF) return a;
  return a === LEAF ? b : unionNodes(a, b, false);
}

/** All paths of all sets. They are joined two by two: one after the other, what was joined before would be gone through for each. */
export function unionOfAll(sets: readonly FieldSet[]): FieldSet {
  let joined = sets;
  while (joined.length > 1) {
    const pairs: FieldSet[] = [];
    for (let i = 0; i < joined.length; i += 2) pairs.push(unionSets(joined[i] ?? LEAF, joined[i + 1] ?? LEAF));
    joined = pairs;
  }
  return joined[0] ?? LEAF;
}

function unionNodes(a: FieldSet, b: FieldSet, member: boolean): FieldSet {
  if (covers(a, b, member)) return a;
  const steps = stepsOfBoth(a, b);
  if (steps.length === 0) return LEAF;
  const node: Record<string, FieldSet> = {};
  if (member) node[SELF] = LEAF;
  for (const step of steps) {
    const left = a[step];
    const right = b[step];
    if (left === undefined) node[step] = right ?? LEAF;
    else node[step] = right === undefined ? left : unionNodes(left, right, isMember(left) || isMember(right));
  }
  return node;
}

/**
 * Whether the union would be written as `a` is: most writes change fields that their manager has already, and to find that out
 * makes nothing. Sets that clients sent may be out of order.
 */
function covers(a: FieldSet, b: FieldSet, member: boolean): boolean {
  if (a === b) return true;
  for (const step in b) {
    if (step === SELF) continue;
    const left = a[step];
    const right = b[step] ?? LEAF;
    if (left === undefined || !covers(left, right, isMember(left) || isMember(right))) return false;
  }
  return isInOrder(a, member);
}

/** Whether a node is written as {@link makeNode} would make it of its own children. */
function isInOrder(node: FieldSet, member: boolean): boolean {
  let last = "";
  let children = 0;
  let isMarked = false;
  for (const step in node) {
    if (step <= last) return false;
    last = step;
    if (step !== SELF) children++;
    else if (hasSteps(node[step])) return false;
    else isMarked = true;
  }
  return isMarked === (member && children > 0);
}

function hasSteps(node: FieldSet | undefined): boolean {
  for (const _ in node) return true;
  return false;
}

function stepsOfBoth(a: FieldSet, b: FieldSet): string[] {
  const steps: string[] = [];
  for (const step in a) if (step !== SELF) steps.push(step);
  for (const step in b) if (step !== SELF && a[step] === undefined) steps.push(step);
  return sortSteps(steps);
}

/** Sorts steps in place, by their UTF-16 code units. */
export function sortSteps(steps: string[]): string[] {
  return sortShort(steps, compareSteps);
}

/** Orders a node's children by their steps, of which none is there twice. */
export function compareChildren([a]: readonly [string, FieldSet], [b]: readonly [string, FieldSet]): number {
  return a < b ? -1 : 1;
}

function compareSteps(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What is longer is sorted by the built-in function, which begins by taking one and a half KB, for how few there may be. */
const SORTED_BY_INSERTION_MAX = 16;

/** Sorts a list in place that is short nearly always; items of which none comes first stay as they stand. */
export function sortShort<T>(items: T[], compare: (a: T, b: T) => number): T[] {
  if (items.length > SORTED_BY_INSERTION_MAX) return items.sort(compare);
  for (let i = 1; i < items.length; i++) {
    const item = items[i] as T;
    let at = i;
    for (; at > 0 && compare(item, items[at - 1] as T) < 0; at--) items[at] = items[at - 1] as T;
    if (at !== i) items[at] = item;
  }
  return items;
}

/** The paths of `a` that are not in `b`; `a` itself when that takes nothing away. */
export function subtractSets(a: FieldSet, b: FieldSet): FieldSet {
  return subtractNodes(a, b, false, false) ?? LEAF;
}

function subtractNodes(a: FieldSet, b: FieldSet, memberA: boolean, memberB: boolean): FieldSet | undefined {
  const member = memberA && !memberB;
  let kept: Record<string, FieldSet> | undefined = memberA && memberB ? {} : undefined;
  for (const step in a) {
    if (step === SELF) continue;
    const left = a[step] ?? LEAF;
    const right = b[step];
    const rest = right === undefined ? left : subtractNodes(left, right, isMember(left), isMember(right));
    if (kept === undefined) {
      if (rest === left) continue;
      kept = nodeBefore(a, step, member);
    }
    if (rest !== undefined) kept[step] = rest;
  }
  if (kept === undefined) return a;
  if (!isEmptySet(kept)) return kept;
  return member ? LEAF : undefined;
}

/** A node of the children that stand before `end`, and of its own membership. */
function nodeBefore(node: FieldSet, end: string, member: boolean): Record<string, FieldSet> {
  const before: Record<string, FieldSet> = {};
  if (member) before[SELF] = LEAF;
  for (const step in node) {
    if (step === end) break;
    if (step !== SELF) before[step] = node[step] ?? LEAF;
  }
  return before;
}

/** The paths that are in both. */
export function intersectSets(a: FieldSet, b: FieldSet): FieldSet {
  return intersectNodes(a, b, false) ?? LEAF;
}

function intersectNodes(a: FieldSet, b: FieldSet, member: boolean): FieldSet | undefined {
  const children: [string, FieldSet][] = [];
  for (const step in a) {
    if (step === SELF || !Object.hasOwn(b, step)) continue;
    const [left, right] = [a[step] ?? LEAF, b[step] ?? LEAF];
    const both = intersectNodes(left, right, isMember(left) && isMember(right));
    if (both !== undefined) children.push([step, both]);
  }
  return children.length > 0 || member ? makeNode(member, children) : undefined;
}

/** The set without a path and all that lies below it. */
export function withoutBelow(root: FieldSet, path: readonly string[]): FieldSet {
  const [step, ...rest] = path;
  if (step === undefined || !Object.hasOwn(root, step)) return root;
  const child = root[step] ?? LEAF;
  const kept = rest.length === 0 ? undefined : withoutBelow(child, rest);
  if (kept === child) return root;
  const { [step]: _, ...others } = root;
  // A node whose last child went is gone, unless it was a member itself.
  if (kept === undefined || (isEmptySet(kept) && !Object.hasOwn(kept, SELF))) return others;
  return { ...root, [step]: kept };
}

/** Whether this is a well-formed `fieldsV1` of steps that upstream can read. */
export function isFieldSet(value: unknown): value is FieldSet {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const step in value) {
    if (step !== SELF && !isStep(step)) return false;
    if (!isFieldSet((value as Record<string, unknown>)[step])) return false;
  }
  return true;
}

const COLON = 0x3a;

function isStep(step: string): boolean {
  if (step.charCodeAt(1) !== COLON) return false;
  switch (step[0]) {
    case "f":
      return true;
    case "i":
      return /^-?[0-9]+$/.test(step.slice(2));
    case "k":
    case "v":
      return isJsonStep(step);
    default:
      return false;
  }
}

/** Steps that were found to hold JSON: a few of them, such as those of conditions, stand in nearly all objects. */
const jsonSteps = new Set<string>();
const JSON_STEPS_MAX = 1_024;

function isJsonStep(step: string): boolean {
  if (jsonSteps.has(step)) return true;
  try {
    JSON.parse(step.slice(2));
  } catch {
    return false;
  }
  if (jsonSteps.size >= JSON_STEPS_MAX) jsonSteps.clear();
  jsonSteps.add(step);
  return true;
}
