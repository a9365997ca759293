import { duplicate, type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { Structural } from "../schema/structural.ts";
import { sortedKeys } from "../sorted-keys.ts";

/** Items that sets and lists with keys hold twice. Upstream's `listtype.ValidateListSetsAndMaps`. */
export function validateListTypes(
  schema: Structural | undefined,
  value: unknown,
  path: FieldPath = FieldPath.root,
): FieldError[] {
  if (schema === undefined || value === null || typeof value !== "object") return [];
  if (!Array.isArray(value)) {
    return Object.entries(value).flatMap(([name, item]) => {
      const property = schema.properties.get(name);
      if (property !== undefined) return validateListTypes(property, item, path.child(name));
      return validateListTypes(schema.additional?.schema, item, path.key(name));
    });
  }
  return [
    ...repeated(schema, value, path),
    ...value.flatMap((item, index) => validateListTypes(schema.items, item, path.index(index))),
  ];
}

function repeated(schema: Structural, items: readonly unknown[], path: FieldPath): FieldError[] {
  const type = schema.props["x-kubernetes-list-type"];
  if (type !== "set" && type !== "map") return [];
  const keys = schema.props["x-kubernetes-list-map-keys"] ?? [];
  const odd = type === "map" ? items.findIndex((item) => typeof item !== "object" || Array.isArray(item)) : -1;
  if (odd >= 0) return [invalid(path.index(odd), sortedKeys(items[odd]), "must be an object for an array of list-type map")];
  const times = new Map<string, number>();
  return items.flatMap((item, index) => {
    const identity = sortedKeys(type === "set" ? item : keysOf(item, keys));
    const text = JSON.stringify(identity);
    const before = times.get(text) ?? 0;
    times.set(text, before + 1);
    // The first repetition tells of all.
    return before === 1 ? [duplicate(path.index(index), identity)] : [];
  });
}

function keysOf(item: unknown, keys: readonly string[]): unknown {
  if (item === null || typeof item !== "object") return {};
  return Object.fromEntries(
    keys.filter((key) => Object.hasOwn(item, key)).map((key) => [key, (item as Record<string, unknown>)[key]]),
  );
}
