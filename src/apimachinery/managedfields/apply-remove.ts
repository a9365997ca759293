import { entryPlan } from "./apply-field-set.ts";
import type { FieldPlan } from "./field-plan.ts";
import { type FieldSet, isEmptySet, isMember } from "./field-set.ts";
import { asMap, itemStep } from "./field-values.ts";

/** A value without the fields, entries and items of a set (`RemoveItems`). What loses all that it has becomes empty. */
export function removePaths(plan: FieldPlan, value: unknown, set: FieldSet): unknown {
  if (Array.isArray(value)) return plan.kind === "set" || plan.kind === "keyed" ? removeItems(plan, value, set) : [];
  const map = asMap(value);
  if (map === undefined) return value;
  return plan.kind === "struct" || plan.kind === "map" || plan.kind === "deduced" ? removeEntries(plan, map, set) : {};
}

function removeEntries(plan: FieldPlan, map: Readonly<Record<string, unknown>>, set: FieldSet): unknown {
  const kept: [string, unknown][] = [];
  for (const key of Object.keys(map)) {
    const node = ownStep(set, `f:${key}`);
    const below = entryPlan(plan, key);
    if (node === undefined || below === undefined) kept.push([key, map[key]]);
    else if (!isMember(node)) kept.push([key, removePaths(below, map[key], node)]);
  }
  return Object.fromEntries(kept);
}

function removeItems(plan: Extract<FieldPlan, { kind: "set" | "keyed" }>, list: readonly unknown[], set: FieldSet): unknown {
  const kept: unknown[] = [];
  for (const item of list) {
    const node = ownStep(set, itemStep(plan, item));
    if (node === undefined) kept.push(item);
    else if (!isMember(node)) {
      kept.push(plan.kind === "keyed" && !isEmptySet(node) ? removePaths(plan.element, item, node) : item);
    }
  }
  return kept;
}

function ownStep(set: FieldSet, step: string): FieldSet | undefined {
  return Object.hasOwn(set, step) ? set[step] : undefined;
}
