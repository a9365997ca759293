import { duplicate, type FieldError } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { Structural } from "../schema/structural.ts";

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
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const identity = type === "set" ? item : keysOf(item, keys);
    const text = JSON.stringify(sorted(identity));
    if (seen.has(text)) return [duplicate(path.index(index), sorted(identity))];
    seen.add(text);
    return [];
  });
}

function keysOf(item: unknown, keys: readonly string[]): unknown {
  if (item === null || typeof item !== "object") return {};
  return Object.fromEntries(
    keys.filter((key) => Object.hasOwn(item, key)).map((key) => [key, (item as Record<string, unknown>)[key]]),
  );
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, item]) => [name, sorted(item)]));
}
