import type { FieldPlan, StructPlan } from "./field-plan.ts";
import { compareChildren, type FieldSet, LEAF, makeNode, SELF, sortShort, sortSteps } from "./field-set.ts";
import { asList, asMap, encoded, fieldsOf, itemsByStep, type JsonMap, type ListPlan, unknownKeys } from "./field-values.ts";

/** All paths of a value that is there, its own among them. */
export function ownedPaths(plan: FieldPlan, value: unknown, plain = false): FieldSet {
  if (plan.kind === "leaf") return LEAF;
  if (plan.kind === "set" || plan.kind === "keyed") return ownedItems(plan, asList(value), plain);
  const map = asMap(value);
  if (map === undefined) return LEAF;
  if (plan.kind !== "struct") return ownedMembers(plan.kind === "map" ? plan.value : plan, map, plain);
  return plan.unknown === undefined ? ownedFields(plan, map, plain) : ownedUnknown(plan, plan.unknown.plan, map, plain);
}

// Its parts are given in order: no list of them is made before the node.
function ownedFields(plan: StructPlan, map: JsonMap, plain: boolean): FieldSet {
  const node: Record<string, FieldSet> = { [SELF]: LEAF };
  let isLeaf = true;
  for (const field of fieldsOf(plan, map, undefined, plain)) {
    const part = plain ? map[field.name] : encoded(field, map[field.name], map);
    if (part === undefined) continue;
    node[field.step] = ownedPaths(field.plan, part, plain);
    isLeaf = false;
  }
  return isLeaf ? LEAF : node;
}

function ownedUnknown(plan: StructPlan, below: FieldPlan, map: JsonMap, plain: boolean): FieldSet {
  const named = ownedFields(plan, map, plain);
  const children: [string, FieldSet][] = [];
  for (const step in named) if (step !== SELF) children.push([step, named[step] ?? LEAF]);
  for (const key of unknownKeys(plan, map)) children.push([`f:${key}`, ownedPaths(below, map[key], plain)]);
  return makeNode(true, sortShort(children, compareChildren));
}

function ownedMembers(plan: FieldPlan, map: JsonMap, plain: boolean): FieldSet {
  const keys = sortSteps(Object.keys(map));
  if (keys.length === 0) return LEAF;
  const node: Record<string, FieldSet> = { [SELF]: LEAF };
  for (const key of keys) node[`f:${key}`] = ownedPaths(plan, map[key], plain);
  return node;
}

function ownedItems(plan: ListPlan, list: readonly unknown[], plain: boolean): FieldSet {
  if (list.length === 0) return LEAF;
  const items = itemsByStep(plan, list);
  const node: Record<string, FieldSet> = { [SELF]: LEAF };
  for (const step of sortSteps([...items.keys()])) {
    const same = items.get(step) ?? [];
    node[step] = plan.kind === "set" || same.length > 1 ? LEAF : ownedPaths(plan.element, same[0], plain);
  }
  return node;
}
