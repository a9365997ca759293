import type { FieldPlan, ListKey, StructPlan } from "./field-plan.ts";
import { compareChildren, type FieldSet, LEAF, makeNode, sortShort, sortSteps } from "./field-set.ts";
import {
  asList,
  asMap,
  encoded,
  fieldsOf,
  isEmptyMap,
  itemsByStep,
  type JsonMap,
  keyStep,
  type ListPlan,
  own,
  unknownKeys,
} from "./field-values.ts";
import { ownedPaths } from "./owned-paths.ts";

/** Which paths differ between two values. Absent parts have no paths. */
export interface Comparison {
  readonly added?: FieldSet | undefined;
  readonly modified?: FieldSet | undefined;
  readonly removed?: FieldSet | undefined;
}

/**
 * Compares two values of a type; undefined when they are equal. Absent values are undefined, null is a value. Both are seen as
 * Go would encode them; `plain` takes them as they stand, as apply does with what is not decoded yet.
 */
export function compareValues(plan: FieldPlan, before: unknown, after: unknown, plain = false): Comparison | undefined {
  if (before === after) return undefined;
  if (before === undefined) return { added: ownedPaths(plan, after, plain) };
  if (after === undefined) return { removed: ownedPaths(plan, before, plain) };
  switch (plan.kind) {
    case "leaf":
      return compareLeaves(before, after);
    case "struct":
      return compareFields(plan, before, after, plain);
    case "map":
      return compareMaps(plan.value, before, after, plain);
    case "set":
    case "keyed":
      return compareLists(plan, before, after, plain);
    case "deduced":
      return compareDeduced(before, after);
  }
}

function compareLeaves(before: unknown, after: unknown): Comparison | undefined {
  return jsonEqual(before, after) ? undefined : { modified: LEAF };
}

function compareDeduced(before: unknown, after: unknown): Comparison | undefined {
  const left = asMap(before);
  const right = asMap(after);
  if (left !== undefined && right !== undefined) return compareMaps({ kind: "deduced" }, before, after, true);
  if (left === undefined && right === undefined) return compareLeaves(before, after);
  const children = ownedPaths({ kind: "deduced" }, left ?? right);
  return left === undefined ? { modified: LEAF, added: children } : { modified: LEAF, removed: children };
}

/** Gathers the comparisons of the parts of a value. Parts are given in order. */
class Parts {
  #added: Children | undefined;
  #modified: Children | undefined;
  #removed: Children | undefined;

  put(step: string, part: Comparison | undefined): void {
    if (part === undefined) return;
    if (part.added !== undefined) this.#added = withChild(this.#added, step, part.added);
    if (part.modified !== undefined) this.#modified = withChild(this.#modified, step, part.modified);
    if (part.removed !== undefined) this.#removed = withChild(this.#removed, step, part.removed);
  }

  /** Puts parts in order that were not given so. */
  sorted(): this {
    if (this.#added !== undefined) sortShort(this.#added, compareChildren);
    if (this.#modified !== undefined) sortShort(this.#modified, compareChildren);
    if (this.#removed !== undefined) sortShort(this.#removed, compareChildren);
    return this;
  }

  comparison(): Comparison | undefined {
    const added = node(this.#added);
    const modified = node(this.#modified);
    const removed = node(this.#removed);
    return added === undefined && modified === undefined && removed === undefined ? undefined : { added, modified, removed };
  }
}

type Children = [string, FieldSet][];

function withChild(children: Children | undefined, step: string, child: FieldSet): Children {
  if (children === undefined) return [[step, child]];
  children.push([step, child]);
  return children;
}

function node(children: Children | undefined): FieldSet | undefined {
  return children === undefined ? undefined : makeNode(false, children);
}

function compareFields(plan: StructPlan, before: unknown, after: unknown, plain: boolean): Comparison | undefined {
  const left = asMap(before);
  const right = asMap(after);
  if (isEmptyMap(left) && isEmptyMap(right)) return compareLeaves(before, after);
  const parts = new Parts();
  for (const field of fieldsOf(plan, left, right, plain)) {
    const l = left?.[field.name];
    const r = right?.[field.name];
    if (l === r) continue;
    parts.put(
      field.step,
      plain
        ? compareValues(field.plan, l, r, true)
        : compareValues(field.plan, encoded(field, l, left), encoded(field, r, right)),
    );
  }
  if (plan.unknown === undefined) return parts.comparison();
  const below = plan.unknown.plan;
  for (const key of new Set([...unknownKeys(plan, left), ...unknownKeys(plan, right)])) {
    parts.put(`f:${key}`, compareValues(below, own(left, key), own(right, key), plain));
  }
  return parts.sorted().comparison();
}

function compareMaps(plan: FieldPlan, before: unknown, after: unknown, plain: boolean): Comparison | undefined {
  const left = asMap(before);
  const right = asMap(after);
  if (isEmptyMap(left) && isEmptyMap(right)) return compareLeaves(before, after);
  const parts = new Parts();
  const keys = Object.keys(left ?? {});
  for (const key of Object.keys(right ?? {})) if (left === undefined || !Object.hasOwn(left, key)) keys.push(key);
  for (const key of sortSteps(keys)) parts.put(`f:${key}`, compareValues(plan, own(left, key), own(right, key), plain));
  return parts.comparison();
}

const LEAF_PLAN: FieldPlan = { kind: "leaf" };

function compareLists(plan: ListPlan, before: unknown, after: unknown, plain: boolean): Comparison | undefined {
  const left = asList(before);
  const right = asList(after);
  if (left.length === 0 && right.length === 0) return compareLeaves(before, after);
  const element = plan.kind === "keyed" ? plan.element : LEAF_PLAN;
  if (plan.kind === "keyed" && arePaired(plan.keys, left, right)) return comparePairs(plan, left, right, plain);
  const lefts = itemsByStep(plan, left);
  const rights = itemsByStep(plan, right);
  const steps = [...lefts.keys()];
  for (const step of rights.keys()) if (!lefts.has(step)) steps.push(step);
  const parts = new Parts();
  for (const step of sortSteps(steps))
    parts.put(step, compareItems(element, lefts.get(step) ?? [], rights.get(step) ?? [], plain));
  return parts.comparison();
}

/** Longer lists are looked at by steps: to find out here that no item is repeated takes the square of their length. */
const PAIRED_ITEMS_MAX = 16;

/** Whether two lists have items of the same keys at the same places, none of them twice: as when conditions or containers are told anew. */
function arePaired(keys: readonly ListKey[], left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length || left.length > PAIRED_ITEMS_MAX) return false;
  for (let i = 0; i < left.length; i++) {
    const item = asMap(left[i]);
    if (item === undefined || !hasPlainKey(keys, item) || !haveSameKeys(keys, item, asMap(right[i]))) return false;
    for (let before = 0; before < i; before++) if (haveSameKeys(keys, item, asMap(left[before]))) return false;
  }
  return true;
}

/** Whether an item has a step that tells its keys alone: each is a text, a number or a boolean. */
function hasPlainKey(keys: readonly ListKey[], item: JsonMap): boolean {
  for (const key of keys) {
    const value = item[key.name] ?? key.default;
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return false;
  }
  return true;
}

function haveSameKeys(keys: readonly ListKey[], item: JsonMap, other: JsonMap | undefined): boolean {
  if (other === undefined) return false;
  for (const key of keys) if ((item[key.name] ?? key.default) !== (other[key.name] ?? key.default)) return false;
  return true;
}

function comparePairs(
  { keys, element }: Extract<FieldPlan, { kind: "keyed" }>,
  left: readonly unknown[],
  right: readonly unknown[],
  plain: boolean,
): Comparison | undefined {
  const parts = new Parts();
  for (let i = 0; i < left.length; i++) {
    const part = compareValues(element, left[i], right[i], plain);
    if (part !== undefined) parts.put(keyStep(keys, left[i]), part);
  }
  return parts.sorted().comparison();
}

// Repeated items are one atom; what becomes one, or stops to be one, changes hands as a whole.
function compareItems(
  plan: FieldPlan,
  before: readonly unknown[],
  after: readonly unknown[],
  plain: boolean,
): Comparison | undefined {
  if (before.length <= 1 && after.length <= 1) return compareValues(plan, before[0], after[0], plain);
  if (before.length > 1 && after.length > 1) return jsonEqual(before, after) ? undefined : { modified: LEAF };
  if (before.length > 1) {
    return { removed: LEAF, ...(after.length === 0 ? {} : { added: ownedPaths(plan, after[0], plain) }) };
  }
  return { added: LEAF, ...(before.length === 0 ? {} : { removed: ownedPaths(plan, before[0], plain) }) };
}

/** Whether two JSON values are the same, absent and null apart. */
export function jsonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => jsonEqual(item, b[i]));
  const left = asMap(a);
  const right = asMap(b);
  if (left === undefined || right === undefined || Array.isArray(b)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && jsonEqual(left[key], right[key]))
  );
}
