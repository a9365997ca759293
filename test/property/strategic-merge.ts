import type { FieldSchema, StructSchema, TypeSchema } from "#apimachinery/schema/type-schema.ts";

/** A JSON object. */
export type JsonMap = { [key: string]: unknown };

/** Whether a value is a JSON object. */
export function isMap(value: unknown): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How the parts of a value are told apart. */
type Shape =
  | { readonly kind: "whole" }
  | { readonly kind: "map"; readonly field: (name: string) => Shape; readonly retainKeys: boolean }
  | { readonly kind: "keyed"; readonly key: string; readonly item: Shape }
  | { readonly kind: "set" };

const WHOLE: Shape = { kind: "whole" };

/** How the parts of a struct are told apart. */
export function shapeOf(type: TypeSchema, field?: FieldSchema): Shape {
  const strategy = field?.patchStrategy ?? [];
  if (strategy.includes("replace")) return WHOLE;
  if (type.kind === "struct") {
    const of = (name: string): Shape => {
      const known = type.fields.get(name);
      return known === undefined ? WHOLE : shapeOf(known.type, known);
    };
    return { kind: "map", field: of, retainKeys: strategy.includes("retainKeys") };
  }
  if (type.kind === "map") return { kind: "map", field: () => shapeOf(type.value), retainKeys: false };
  if (type.kind !== "list" || !strategy.includes("merge")) return WHOLE;
  const key = field?.patchMergeKey;
  return key === undefined ? { kind: "set" } : { kind: "keyed", key, item: shapeOf(type.element) };
}

/** Gives items that are told apart by a key different keys, few of them, and sets different members. */
export function withKeys(type: TypeSchema, value: unknown, field?: FieldSchema): unknown {
  if (type.kind === "struct" && isMap(value)) return structWithKeys(type, value);
  if (type.kind !== "list" || !Array.isArray(value)) return value;
  const shape = shapeOf(type, field);
  if (shape.kind === "set") return [...new Set(value)];
  const items = value.map((item) => withKeys(type.element, item));
  if (shape.kind !== "keyed" || type.element.kind !== "struct") return items;
  const keyType = type.element.fields.get(shape.key)?.type;
  const isNumber = keyType?.kind === "scalar" && keyType.format === "int32";
  return items.map((item, i) => ({
    ...(item as JsonMap),
    [shape.key]: isNumber ? 80 + ((i + value.length) % 3) : "abc"[(i + value.length) % 3],
  }));
}

function structWithKeys(type: StructSchema, value: JsonMap): JsonMap {
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const field = type.fields.get(name);
      return [name, field === undefined ? member : withKeys(field.type, member, field)];
    }),
  );
}

/** What was removed, and what was changed or came in addition: two patches that are laid over each other. */
interface Change {
  /** The state that says what is to go. */
  readonly before: unknown;
  /** The state that is to be reached. */
  readonly wanted: unknown;
  /** The state that the patch is applied to. */
  readonly current: unknown;
}

/** A strategic merge patch, made as kubectl makes one for `apply`; with `before` and `current` alike, the plain difference. */
export function strategicPatch(shape: Shape & { kind: "map" }, { before, wanted, current }: Change): JsonMap {
  const patch: JsonMap = {};
  const [from, to, now] = [asMap(before), asMap(wanted), asMap(current)];
  for (const name of Object.keys(from)) if (!Object.hasOwn(to, name)) patch[name] = null;
  for (const [name, value] of Object.entries(to)) {
    const known = now[name];
    const below = shape.field(name);
    if (known === undefined || kindOf(known) !== kindOf(value)) {
      patch[name] = value;
      continue;
    }
    if (same(known, value) && same(from[name], value)) continue;
    const change = { before: from[name], wanted: value, current: known };
    if (below.kind === "map" && isMap(value)) {
      const inner = strategicPatch(below, change);
      if (below.retainKeys) inner.$retainKeys = Object.keys(value);
      if (Object.keys(inner).length > 0) patch[name] = inner;
    } else if ((below.kind === "keyed" || below.kind === "set") && Array.isArray(value))
      Object.assign(patch, listPatch(name, below, change));
    else patch[name] = value;
  }
  return patch;
}

function listPatch(name: string, shape: Shape & { kind: "keyed" | "set" }, { before, wanted, current }: Change): JsonMap {
  const [from, to, now] = [asList(before), asList(wanted), asList(current)];
  if (shape.kind === "set") {
    const removed = from.filter((item) => !to.includes(item));
    return {
      [name]: to.filter((item) => !now.includes(item)),
      ...(removed.length > 0 ? { [`$deleteFromPrimitiveList/${name}`]: removed } : {}),
      ...(to.length > 0 ? { [`$setElementOrder/${name}`]: to } : {}),
    };
  }
  const { key, item: inner } = shape;
  const find = (list: readonly unknown[], value: unknown): unknown => list.find((item) => asMap(item)[key] === value);
  const changed = to.flatMap((item) => {
    const id = asMap(item)[key];
    const known = find(now, id);
    if (known === undefined || inner.kind !== "map") return [item];
    const difference = strategicPatch(inner, { before: find(from, id), wanted: item, current: known });
    return Object.keys(difference).length === 0 ? [] : [{ ...difference, [key]: id }];
  });
  const removed = from.filter((item) => find(to, asMap(item)[key]) === undefined);
  return {
    [name]: [...changed, ...removed.map((item) => ({ [key]: asMap(item)[key], $patch: "delete" }))],
    ...(to.length > 0 ? { [`$setElementOrder/${name}`]: to.map((item) => ({ [key]: asMap(item)[key] })) } : {}),
  };
}

/** What such a patch is to lead to: what is wanted, and of the current state what nobody has asked to go. */
export function expected(shape: Shape, { before, wanted, current }: Change): unknown {
  if (wanted === undefined) return before === undefined ? current : undefined;
  if (current === undefined || kindOf(current) !== kindOf(wanted)) return wanted;
  if (shape.kind === "map" && isMap(wanted)) {
    const [from, now] = [asMap(before), asMap(current)];
    const names =
      shape.retainKeys && !(same(now, wanted) && same(from, wanted))
        ? Object.keys(wanted)
        : [...Object.keys(now), ...Object.keys(wanted)];
    const entries = [...new Set(names)].map((name) => [
      name,
      expected(shape.field(name), { before: from[name], wanted: wanted[name], current: now[name] }),
    ]);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }
  if (!Array.isArray(wanted) || shape.kind === "whole" || shape.kind === "map") return wanted;
  const [from, now] = [asList(before), asList(current)];
  const id = (item: unknown): unknown => (shape.kind === "keyed" ? asMap(item)[shape.key] : item);
  const find = (list: readonly unknown[], wantedId: unknown): unknown => list.find((item) => id(item) === wantedId);
  const inner = shape.kind === "keyed" ? shape.item : WHOLE;
  const kept = now.filter((item) => find(wanted, id(item)) === undefined && find(from, id(item)) === undefined);
  return [
    ...wanted.map((item) => expected(inner, { before: find(from, id(item)), wanted: item, current: find(now, id(item)) })),
    ...kept,
  ];
}

/** Lists whose items have keys, or that are sets, in the order of these: where nobody says how two orders become one. */
export function ordered(shape: Shape, value: unknown): unknown {
  if (shape.kind === "map" && isMap(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, ordered(shape.field(name), member)]));
  }
  if (!Array.isArray(value) || shape.kind === "whole" || shape.kind === "map") return value;
  const items = shape.kind === "keyed" ? value.map((item) => ordered(shape.item, item)) : value;
  const id = (item: unknown): string => JSON.stringify(shape.kind === "keyed" ? asMap(item)[shape.key] : item);
  return items.sort((a, b) => (id(a) < id(b) ? -1 : 1));
}

function asMap(value: unknown): JsonMap {
  return isMap(value) ? value : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? "list" : typeof value;
}

function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i]));
  if (!isMap(a) || !isMap(b)) return a === b;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]));
}
