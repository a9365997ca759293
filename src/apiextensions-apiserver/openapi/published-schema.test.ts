import { expect, test } from "vitest";
import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { publishedSchema } from "./published-schema.ts";

const refer = (name: string): Record<string, unknown> => ({ $ref: name });

test.each<{ name: string; schema: JSONSchemaProps; v2: unknown; v3: unknown }>([
  {
    name: "a default and an alternative",
    schema: { type: "string", default: "a", anyOf: [{ minLength: 1 }] },
    v2: { type: "string" },
    v3: { type: "string", default: "a", anyOf: [{ minLength: 1 }] },
  },
  {
    name: "an integer or string",
    schema: { "x-kubernetes-int-or-string": true },
    v2: { "x-kubernetes-int-or-string": true },
    v3: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
  },
  {
    name: "an object with a field that may be null",
    schema: {
      type: "object",
      required: ["a", "b"],
      properties: { a: { type: "string", nullable: true }, b: { type: "string" } },
    },
    v2: { type: "object", required: ["b"], properties: { a: {}, b: { type: "string" } } },
    v3: { type: "object", required: ["a", "b"], properties: { a: { type: "string", nullable: true }, b: { type: "string" } } },
  },
  {
    name: "an object that keeps unknown fields",
    schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { a: { type: "string" } } },
    v2: { "x-kubernetes-preserve-unknown-fields": true },
    v3: { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { a: { type: "string" } } },
  },
])("$name", ({ schema, v2, v3 }) => {
  expect(publishedSchema(schema, 2, refer)).toEqual(v2);
  expect(publishedSchema(schema, 3, refer)).toEqual(v3);
});

test("a resource within has what every resource has", () => {
  const schema: JSONSchemaProps = {
    type: "object",
    "x-kubernetes-embedded-resource": true,
    properties: { spec: { type: "object" } },
  };
  const published = publishedSchema(schema, 3, refer) as { required: string[]; properties: Record<string, unknown> };
  expect(published.required).toEqual(["kind", "apiVersion"]);
  expect(Object.keys(published.properties).sort()).toEqual(["apiVersion", "kind", "metadata", "spec"]);
});
