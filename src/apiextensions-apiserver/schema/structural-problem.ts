import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { additionalOf, byName, itemsOf } from "./walk.ts";

/** What no structural schema can hold, as the first such thing is told; undefined for none. Upstream's `NewStructural`. */
export function structuralProblem(schema: JSONSchemaProps | undefined): string | undefined {
  if (schema === undefined) return undefined;
  const { not, allOf = [], anyOf = [], oneOf = [] } = schema;
  return (
    unsupported(schema) ??
    first([...(not === undefined ? [] : [not]), ...allOf, ...anyOf, ...oneOf]) ??
    (schema["x-kubernetes-preserve-unknown-fields"] === false
      ? "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
      : undefined) ??
    (Array.isArray(schema.items) && schema.items.length > 0
      ? "OpenAPIV3Schema 'items' must be a schema, but is an array"
      : undefined) ??
    structuralProblem(itemsOf(schema)) ??
    first(byName(schema.properties).map(([, property]) => property)) ??
    structuralProblem(additionalOf(schema))
  );
}

function first(schemas: readonly JSONSchemaProps[]): string | undefined {
  for (const schema of schemas) {
    const problem = structuralProblem(schema);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function unsupported(schema: JSONSchemaProps): string | undefined {
  const { id, $schema, $ref, patternProperties = {}, dependencies = {}, additionalItems, definitions = {} } = schema;
  const name = id
    ? "id"
    : $schema
      ? "schema"
      : $ref
        ? "$ref"
        : Object.keys(patternProperties).length > 0
          ? "patternProperties"
          : Object.keys(dependencies).length > 0
            ? "dependencies"
            : additionalItems !== undefined
              ? "additionalItems"
              : Object.keys(definitions).length > 0
                ? "definitions"
                : undefined;
  return name === undefined ? undefined : `OpenAPIV3Schema '${name}' is not supported`;
}
