import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";

/** The one schema of a list's items; undefined for none or for a list of schemas, which no structural schema has. */
export function itemsOf({ items }: JSONSchemaProps): JSONSchemaProps | undefined {
  return items === undefined || Array.isArray(items) ? undefined : (items as JSONSchemaProps);
}

/** The schema of members without a property of their own. */
export function additionalOf({ additionalProperties }: JSONSchemaProps): JSONSchemaProps | undefined {
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}

/** Members by name, in the order in which errors are told. */
export function byName<T>(members: Readonly<Record<string, T>> | undefined): readonly (readonly [string, T])[] {
  return Object.entries(members ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Whether a schema, or one within it, is such. Upstream's `SchemaHas`. */
export function schemaHas(schema: JSONSchemaProps | undefined, test: (schema: JSONSchemaProps) => boolean): boolean {
  if (schema === undefined) return false;
  return test(schema) || children(schema).some((child) => schemaHas(child, test));
}

function children(schema: JSONSchemaProps): readonly JSONSchemaProps[] {
  const { items, allOf = [], anyOf = [], oneOf = [], not, additionalItems } = schema;
  const additional = additionalOf(schema);
  return [
    ...(items === undefined ? [] : Array.isArray(items) ? (items as readonly JSONSchemaProps[]) : [items as JSONSchemaProps]),
    ...allOf,
    ...anyOf,
    ...oneOf,
    ...(not === undefined ? [] : [not]),
    ...byName(schema.properties).map(([, child]) => child),
    ...(additional === undefined ? [] : [additional]),
    ...byName(schema.patternProperties).map(([, child]) => child),
    ...(typeof additionalItems === "object" ? [additionalItems] : []),
    ...byName(schema.definitions).map(([, child]) => child),
    ...byName(schema.dependencies).flatMap(([, child]) => (Array.isArray(child) ? [] : [child as JSONSchemaProps])),
  ];
}
