import type { FieldPlan, StructPlan } from "./field-plan.ts";
import { type FieldSet, LEAF, makeNode, SELF } from "./field-set.ts";
import { asMap, itemStep } from "./field-values.ts";

/**
 * The paths that a configuration claims: structured-merge-diff's `ToFieldSet`. Leaves, items, entries of maps, and what is
 * null or an empty map; but not the structs and lists on the way.
 */
export function configuredFields(plan: FieldPlan, value: unknown): FieldSet {
  return claimed(plan, value) ?? LEAF;
}

/** The node of a value; undefined when it claims nothing. */
function claimed(plan: FieldPlan, value: unknown): FieldSet | undefined {
  switch (plan.kind) {
    case "leaf":
      return LEAF;
    case "set":
    case "keyed":
      return Array.isArray(value) ? claimedItems(plan, value) : undefined;
    default: {
      const map = asMap(value);
      if (map !== undefined) return claimedEntries(plan, map);
      return plan.kind === "deduced" && value !== null ? LEAF : undefined;
    }
  }
}

type MapPlan = Extract<FieldPlan, { kind: "struct" | "map" | "deduced" }>;

function claimedEntries(plan: MapPlan, map: Readonly<Record<string, unknown>>): FieldSet | undefined {
  const children: [string, FieldSet][] = [];
  for (const key of Object.keys(map).sort()) {
    const value = map[key];
    const below = entryPlan(plan, key);
    if (below === undefined || value === undefined) continue;
    const node = claimed(below, value);
    const isMember = plan.kind !== "struct" || !plan.byName.has(key) || value === null || isEmptyMap(value);
    if (node === undefined) {
      if (isMember) children.push([`f:${key}`, LEAF]);
    } else children.push([`f:${key}`, isMember ? asMember(node) : node]);
  }
  return children.length === 0 ? undefined : makeNode(false, children);
}

function claimedItems(plan: Extract<FieldPlan, { kind: "set" | "keyed" }>, list: readonly unknown[]): FieldSet | undefined {
  const items = new Map<string, FieldSet>();
  for (const item of list) {
    const step = itemStep(plan, item);
    // What stands twice is one atom.
    const node = items.has(step) || plan.kind === "set" ? LEAF : asMember(claimed(plan.element, item) ?? LEAF);
    items.set(step, node);
  }
  if (items.size === 0) return undefined;
  return makeNode(
    false,
    [...items].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function asMember(node: FieldSet): FieldSet {
  return node === LEAF || Object.hasOwn(node, SELF) ? node : { [SELF]: LEAF, ...node };
}

function isEmptyMap(value: unknown): boolean {
  const map = asMap(value);
  return map !== undefined && Object.keys(map).length === 0;
}

/** The plan of a field that the struct's type does not name; undefined where it may not have such. */
export function unknownPlan({ unknown }: StructPlan, key: string): FieldPlan | undefined {
  return unknown === undefined || unknown.named.has(key) ? undefined : unknown.plan;
}

/** The plan of a field or entry; undefined for a field that the struct does not have. */
export function entryPlan(plan: FieldPlan, key: string): FieldPlan | undefined {
  switch (plan.kind) {
    case "struct":
      return plan.byName.get(key)?.plan ?? unknownPlan(plan, key);
    case "map":
      return plan.value;
    case "deduced":
      return plan;
    default:
      return undefined;
  }
}

/**
 * The set with the named fields on the way to its paths as members too, so that a struct goes with the last field that
 * somebody wanted in it (`EnsureNamedFieldsAreMembers`).
 */
export function withNamedFields(plan: FieldPlan | undefined, set: FieldSet): FieldSet {
  const children: [string, FieldSet][] = [];
  for (const step in set) {
    if (step === SELF) continue;
    const node = set[step] ?? LEAF;
    if (node === LEAF || Object.keys(node).length === 0) {
      children.push([step, node]);
      continue;
    }
    const below = withNamedFields(stepPlan(plan, step), node);
    const isNamed = plan?.kind === "struct" && plan.byStep.has(step);
    children.push([step, isNamed ? asMember(below) : below]);
  }
  return children.length === 0 ? set : makeNode(Object.hasOwn(set, SELF), children);
}

/**
 * The set after its type has become atomic somewhere: whoever owned a part owns the whole now
 * (`ReconcileFieldSetWithSchema`). The set itself where nothing changed.
 */
export function withAtomicWholes(plan: FieldPlan, set: FieldSet): FieldSet {
  let changed = false;
  const children: [string, FieldSet][] = [];
  for (const step in set) {
    if (step === SELF) continue;
    const node = set[step] ?? LEAF;
    const below = stepPlan(plan, step);
    let kept = node;
    if (below?.kind === "leaf" && Object.keys(node).some((key) => key !== SELF)) kept = LEAF;
    else if (below !== undefined) kept = withAtomicWholes(below, node);
    if (kept !== node) changed = true;
    children.push([step, kept]);
  }
  return changed ? makeNode(Object.hasOwn(set, SELF), children) : set;
}

function stepPlan(plan: FieldPlan | undefined, step: string): FieldPlan | undefined {
  if (plan === undefined) return undefined;
  const field = plan.kind === "struct" ? plan.byStep.get(step) : undefined;
  if (field !== undefined) return field.plan;
  if (step.startsWith("f:")) return entryPlan(plan, step.slice(2));
  return plan.kind === "keyed" && step.startsWith("k:") ? plan.element : undefined;
}
