import { entryPlan } from "./apply-field-set.ts";
import { asMap, itemStep } from "./compare.ts";
import type { FieldPlan } from "./field-plan.ts";
import { type FieldSet, isEmptySet, isMember } from "./field-set.ts";

/** A value without the fields, entries and items of a set (`RemoveItems`). What loses all that it has becomes null. */
export function removePaths(plan: FieldPlan, value: unknown, set: FieldSet): unknown {
  switch (plan.kind) {
    case "leaf":
      return typeof value === "object" ? null : value;
    case "set":
    case "keyed":
      return Array.isArray(value) ? removeItems(plan, value, set) : null;
    default: {
      const map = asMap(value);
      if (map !== undefined) return removeEntries(plan, map, set);
      return typeof value === "object" ? null : value;
    }
  }
}

function removeEntries(plan: FieldPlan, map: Readonly<Record<string, unknown>>, set: FieldSet): unknown {
  const kept: [string, unknown][] = [];
  for (const key of Object.keys(map)) {
    const node = ownStep(set, `f:${key}`);
    const below = entryPlan(plan, key);
    if (node === undefined || below === undefined) kept.push([key, map[key]]);
    else if (!isMember(node)) kept.push([key, removePaths(below, map[key], node)]);
  }
  return kept.length === 0 ? null : Object.fromEntries(kept);
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
  return kept.length === 0 ? null : kept;
}

function ownStep(set: FieldSet, step: string): FieldSet | undefined {
  return Object.hasOwn(set, step) ? set[step] : undefined;
}
