import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";

/** The old element with the same keys as a new one, in a list of type `map`; undefined in others. */
export function correlatedItem(schema: JSONSchemaProps, old: unknown, item: unknown): unknown {
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (schema["x-kubernetes-list-type"] !== "map" || keys.length === 0 || !Array.isArray(old)) return undefined;
  const wanted = identity(item, keys);
  return wanted === undefined ? undefined : old.find((element) => identity(element, keys) === wanted);
}

function identity(item: unknown, keys: readonly string[]): string | undefined {
  if (typeof item !== "object" || item === null) return undefined;
  const values: unknown[] = [];
  for (const key of keys) {
    const value = Object.hasOwn(item, key) ? (item as Record<string, unknown>)[key] : undefined;
    if (!["boolean", "number", "string"].includes(typeof value)) return undefined;
    values.push(value);
  }
  return JSON.stringify(values);
}
