import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import type { GroupVersionKind } from "#apimachinery/meta/api-object.ts";

/** What is read of an OpenAPI v3 document. */
export interface OpenApiDocument {
  readonly components?: { readonly schemas?: Readonly<Record<string, OpenApiSchema>> };
}

/** A schema that may refer to others. */
export interface OpenApiSchema extends JSONSchemaProps {
  readonly "x-kubernetes-group-version-kind"?: readonly GroupVersionKind[];
}

const PREFIX = "#/components/schemas/";

/** The schema of a kind with what it refers to put in place; undefined for a kind that the document has not. What contains itself is an object without fields there. */
export function kindSchema(document: OpenApiDocument, { group, version, kind }: GroupVersionKind): JSONSchemaProps | undefined {
  const { schemas = {} } = document.components ?? {};
  const found = Object.values(schemas).find((schema) =>
    schema["x-kubernetes-group-version-kind"]?.some(
      (each) => each.group === group && each.version === version && each.kind === kind,
    ),
  );
  return found && resolve(schemas, found, new Set());
}

function resolve(
  schemas: Readonly<Record<string, OpenApiSchema>>,
  schema: OpenApiSchema,
  within: ReadonlySet<string>,
): JSONSchemaProps {
  const reference = referenceOf(schema);
  if (reference !== undefined) {
    const target = schemas[reference];
    if (target === undefined || within.has(reference)) return { type: "object" };
    return resolve(schemas, target, new Set([...within, reference]));
  }
  const resolved: { -readonly [K in keyof JSONSchemaProps]: JSONSchemaProps[K] } = { ...schema };
  const { properties, items, additionalProperties } = schema;
  if (schema.format === "int-or-string") resolved["x-kubernetes-int-or-string"] = true;
  if (properties !== undefined) {
    resolved.properties = Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, resolve(schemas, property, within)]),
    );
  }
  if (items !== undefined) resolved.items = resolve(schemas, items as OpenApiSchema, within);
  if (additionalProperties !== undefined && typeof additionalProperties === "object") {
    resolved.additionalProperties = resolve(schemas, additionalProperties as OpenApiSchema, within);
  }
  return resolved;
}

/** A reference may be wrapped, to stand beside a description. */
function referenceOf(schema: JSONSchemaProps): string | undefined {
  const { $ref, allOf = [] } = schema;
  if ($ref !== undefined) return $ref.startsWith(PREFIX) ? $ref.slice(PREFIX.length) : $ref;
  for (const inner of allOf) {
    const reference = referenceOf(inner);
    if (reference !== undefined) return reference;
  }
  return undefined;
}
