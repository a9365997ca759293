import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";

const TEXT: JSONSchemaProps = { type: "string" };
const TYPE_META: Readonly<Record<string, JSONSchemaProps>> = {
  kind: TEXT,
  apiVersion: TEXT,
  metadata: { type: "object", properties: { name: TEXT, generateName: TEXT } },
};

const roots = new WeakMap<JSONSchemaProps, JSONSchemaProps>();

/** A resource's schema with what expressions always see of one: its kind, version and name. Upstream's `WithTypeAndObjectMeta`. */
export function withTypeMeta(schema: JSONSchemaProps): JSONSchemaProps {
  const known = roots.get(schema);
  if (known !== undefined) return known;
  const made = { ...schema, properties: { ...schema.properties, ...TYPE_META } };
  roots.set(schema, made);
  return made;
}

/** The schema of all elements of an array. */
export function itemSchema({ items }: JSONSchemaProps): JSONSchemaProps | undefined {
  return items === undefined || Array.isArray(items) ? undefined : (items as JSONSchemaProps);
}

/** The schema of the values of a map. */
export function valueSchema({ additionalProperties }: JSONSchemaProps): JSONSchemaProps | undefined {
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}

/** Whether a schema is that of a resource within a resource. */
export function isEmbedded(schema: JSONSchemaProps): boolean {
  return schema["x-kubernetes-embedded-resource"] === true;
}
