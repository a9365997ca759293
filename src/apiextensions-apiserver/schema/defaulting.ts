import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { setOwn } from "#apimachinery/schema/json-node.ts";
import type { Structural } from "./structural.ts";

type Members = Record<string, unknown>;

/** Sets what is absent, or null where null may not be, to the schema's defaults. Changes its argument. Upstream's `defaulting.Default`. */
export function setSchemaDefaults(value: unknown, schema: Structural | undefined): void {
  if (schema === undefined || value === null || typeof value !== "object") return;
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      if (isForbiddenNull(item, schema.items)) value[index] = deepCopy(schema.items?.default ?? null);
      setSchemaDefaults(value[index], schema.items);
    });
    return;
  }
  const members = value as Members;
  for (const [name, property] of schema.properties) {
    if (property.default === undefined || property.default === null) continue;
    const given = Object.hasOwn(members, name) ? members[name] : undefined;
    if (given === undefined || isForbiddenNull(given, property)) setOwn(members, name, deepCopy(property.default));
  }
  for (const name of Object.keys(members)) {
    const property = schema.properties.get(name);
    if (property !== undefined) setSchemaDefaults(members[name], property);
    else if (schema.additional?.schema !== undefined) {
      const { schema: additional } = schema.additional;
      if (isForbiddenNull(members[name], additional)) setOwn(members, name, deepCopy(additional.default ?? null));
      setSchemaDefaults(members[name], additional);
    }
  }
}

/** Removes nulls that may not be and that no default replaces. Upstream's `PruneNonNullableNullsWithoutDefaults`. */
export function dropForbiddenNulls(value: unknown, schema: Structural | undefined): void {
  if (schema === undefined || value === null || typeof value !== "object") return;
  if (Array.isArray(value)) {
    for (const item of value) dropForbiddenNulls(item, schema.items);
    return;
  }
  const members = value as Members;
  for (const [name, item] of Object.entries(members)) {
    const known = schema.properties.get(name) ?? schema.additional?.schema;
    if (isForbiddenNull(item, known) && (known?.default === undefined || known.default === null)) delete members[name];
    else dropForbiddenNulls(item, known);
  }
}

function isForbiddenNull(value: unknown, schema: Structural | undefined): boolean {
  return value === null && schema !== undefined && !schema.nullable;
}
