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

/** All paths of both. */
export function unionSets(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || b === LEAF) return a;
  return a === LEAF ? b : unionNodes(a, b, false);
}

function unionNodes(a: FieldSet, b: FieldSet, member: boolean): FieldSet {
  if (a === b) return a;
  const steps = new Set<string>();
  for (const step in a) steps.add(step);
  for (const step in b) steps.add(step);
  steps.delete(SELF);
  const children: [string, FieldSet][] = [];
  for (const step of [...steps].sort()) {
    const left = a[step];
    const right = b[step];
    if (left === undefined) children.push([step, right ?? LEAF]);
    else if (right === undefined) children.push([step, left]);
    else children.push([step, unionNodes(left, right, isMember(left) || isMember(right))]);
  }
  return makeNode(member, children);
}

/** The paths of `a` that are not in `b`; `a` itself when that takes nothing away. */
export function subtractSets(a: FieldSet, b: FieldSet): FieldSet {
  return subtractNodes(a, b, false, false) ?? LEAF;
}

function subtractNodes(a: FieldSet, b: FieldSet, memberA: boolean, memberB: boolean): FieldSet | undefined {
  const children: [string, FieldSet][] = [];
  let changed = memberA && memberB;
  for (const step in a) {
    if (step === SELF) continue;
    const left = a[step] ?? LEAF;
    const right = b[step];
    const rest = right === undefined ? left : subtractNodes(left, right, isMember(left), isMember(right));
    if (rest !== left) changed = true;
    if (rest !== undefined) children.push([step, rest]);
  }
  if (!changed) return a;
  const member = memberA && !memberB;
  return children.length > 0 || member ? makeNode(member, children) : undefined;
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
  for (const [step, child] of Object.entries(value)) {
    if (step !== SELF && !isStep(step)) return false;
    if (!isFieldSet(child)) return false;
  }
  return true;
}

function isStep(step: string): boolean {
  const rest = step.slice(2);
  switch (step.slice(0, 2)) {
    case "f:":
      return true;
    case "i:":
      return /^-?[0-9]+$/.test(rest);
    case "k:":
    case "v:":
      return isJson(rest);
    default:
      return false;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
