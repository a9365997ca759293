import type { FieldPlan, ListKey, PlannedField, StructPlan } from "./field-plan.ts";

/** A JSON object. */
export type JsonMap = Readonly<Record<string, unknown>>;

/** A list that is owned item by item. */
export type ListPlan = Extract<FieldPlan, { kind: "set" | "keyed" }>;

/** An item of a keyed list that lacks all its keys, and these have no defaults: such objects have no field ownership. */
export class MissingListKeyError extends Error {}

/** A JSON object, or undefined for anything else. */
export function asMap(value: unknown): JsonMap | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonMap) : undefined;
}

/** A list, or an empty one for anything else. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A member of a map that is its own. */
export function own(map: JsonMap | undefined, key: string): unknown {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Whether a map has no members, or is none. */
export function isEmptyMap(map: JsonMap | undefined): boolean {
  for (const _ in map) return false;
  return true;
}

/**
 * The fields of a struct that may be owned, in order: those that one of the two has, and where Go encodes it (not `plain`) those
 * that are written in any case. Most of a type's fields are absent, and to ask for them costs more than for those that are there.
 */
export function fieldsOf(
  plan: StructPlan,
  left: JsonMap | undefined,
  right: JsonMap | undefined,
  plain: boolean,
): PlannedField[] {
  const fields = plain ? [] : plan.always.slice();
  if (left !== undefined) for (const name in left) addField(fields, plan.byName.get(name));
  if (right !== undefined && right !== left) for (const name in right) addField(fields, plan.byName.get(name));
  return fields;
}

function addField(fields: PlannedField[], field: PlannedField | undefined): void {
  if (field === undefined) return;
  let at = fields.length;
  for (let before = fields[at - 1]; before !== undefined && before.order >= field.order; before = fields[at - 1]) {
    if (before === field) return;
    at--;
  }
  fields.push(field);
  // By hand: `splice` makes a list of what it takes out, also of nothing.
  for (let to = fields.length - 1; to > at; to--) fields[to] = fields[to - 1] as PlannedField;
  fields[at] = field;
}

/** The members of a struct that its type does not name; none where they are no fields. */
export function unknownKeys({ unknown }: StructPlan, map: JsonMap | undefined): string[] {
  return unknown === undefined ? [] : Object.keys(map ?? {}).filter((key) => !unknown.named.has(key));
}

/** The value of a field as Go would write it; what it would leave out is undefined. `holder` is the struct, if there is one. */
export function encoded(field: PlannedField, value: unknown, holder: JsonMap | undefined): unknown {
  switch (field.empty) {
    case "keep":
      return value === null && field.plan.kind !== "leaf" ? undefined : value;
    case "pointer":
      return holder === undefined ? undefined : (value ?? null);
    case "struct":
      return holder === undefined ? undefined : (value ?? EMPTY_STRUCT);
    case "null":
      return holder === undefined || value !== undefined ? value : null;
    case "drop":
      return isGoEmpty(value) ? undefined : value;
  }
}

const EMPTY_STRUCT = Object.freeze({});

function isGoEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  return Array.isArray(value) ? value.length === 0 : isEmptyMap(typeof value === "object" ? (value as JsonMap) : { value });
}

/** The items of a list by their steps; several where they repeat. Throws {@link MissingListKeyError}. */
export function itemsByStep(plan: ListPlan, list: readonly unknown[]): Map<string, unknown[]> {
  const items = new Map<string, unknown[]>();
  for (const item of list) {
    const step = itemStep(plan, item);
    const same = items.get(step);
    if (same === undefined) items.set(step, [item]);
    else same.push(item);
  }
  return items;
}

/** The step of an item in a list that is owned item by item. Throws {@link MissingListKeyError}. */
export function itemStep(plan: ListPlan, item: unknown): string {
  return plan.kind === "set" ? `v:${JSON.stringify(item)}` : keyStep(plan.keys, item);
}

/**
 * The step of an item that its keys tell from others. A missing key is no part of it; without any key there is none: throws
 * {@link MissingListKeyError}.
 */
export function keyStep(keys: readonly ListKey[], item: unknown): string {
  const map = asMap(item);
  let text = "";
  for (const key of keys) {
    const value = map?.[key.name] ?? key.default;
    if (value === undefined || value === null) continue;
    text += `${text === "" ? "" : ","}${JSON.stringify(key.name)}:${JSON.stringify(value)}`;
  }
  if (text === "") throw new MissingListKeyError(keys.map(({ name }) => name).join(", "));
  return `k:{${text}}`;
}
