import { expect, test } from "vitest";
import { configuredFields } from "#apimachinery/managedfields/apply-field-set.ts";
import { mergeValues } from "#apimachinery/managedfields/apply-merge.ts";
import { typeFaults } from "#apimachinery/managedfields/apply-validate.ts";
import { compareValues } from "#apimachinery/managedfields/compare.ts";
import { rootPlan } from "#apimachinery/managedfields/field-plan.ts";
import { ownedPaths } from "#apimachinery/managedfields/owned-paths.ts";
import { customType } from "./custom-type.ts";
import { compileStructural } from "./structural.ts";

const KEEP = { "x-kubernetes-preserve-unknown-fields": true } as const;
const typeOf = (schema: object) => customType("example", "Example", compileStructural({ type: "object", ...schema }));
const object = (rest: object) => ({ apiVersion: "example.com/v1", kind: "Example", metadata: { name: "a" }, ...rest });

test.each([
  ["unknown fields kept at the root", KEEP, { spec: { key: "v" } }, undefined],
  [
    "unknown fields kept around a known one",
    { ...KEEP, properties: { spec: { type: "object", properties: { a: { type: "string" } } } } },
    { spec: { b: 1 } },
    undefined,
  ],
  [
    "unknown fields kept in a part",
    { properties: { spec: { type: "object", ...KEEP, properties: { a: { type: "string" } } } } },
    { spec: { a: "x", b: [1] } },
    undefined,
  ],
  ["an object without properties", { properties: { spec: { type: "object" } } }, { spec: { a: { b: 1 } } }, undefined],
  [
    "unknown fields of items",
    { properties: { items: { type: "array", ...KEEP, items: { type: "object", properties: { a: { type: "string" } } } } } },
    { items: [{ b: 1 }] },
    undefined,
  ],
  [
    "a kept known field of another type",
    { ...KEEP, properties: { size: { type: "integer" } } },
    { size: "big" },
    ".size: expected numeric (int or float), got string",
  ],
  [
    "unknown fields that are not kept",
    { properties: { spec: { type: "object", properties: { a: { type: "string" } } } } },
    { spec: { b: 1 } },
    ".spec.b: field not declared in schema",
  ],
  ["an unknown field at the root", { properties: {} }, { other: 1 }, ".other: field not declared in schema"],
])("%s", (_, schema, rest, want) => {
  expect(typeFaults(typeOf(schema), object(rest))).toBe(want);
});

test.each([
  ["with properties", { properties: { spec: { type: "object", properties: {} } } }],
  ["that keeps what it does not know", KEEP],
])("an embedded resource %s has metadata as any resource", (_, rest) => {
  const schema = {
    properties: {
      spec: {
        type: "object",
        ...KEEP,
        properties: { template: { type: "object", "x-kubernetes-embedded-resource": true, ...rest } },
      },
    },
  };
  const embedded = (metadata: object) => object({ spec: { template: { apiVersion: "foo/v1", kind: "Sub", metadata, any: 1 } } });
  expect(typeFaults(typeOf(schema), embedded({ name: "sub", labels: { a: "b" } }))).toBeUndefined();
  expect(typeFaults(typeOf(schema), embedded({ name: "sub", unknown: 1 }))).toBe(
    ".spec.template.metadata.unknown: field not declared in schema",
  );
});

test("managers own what the schema does not name, but for what nobody owns", () => {
  const plan = rootPlan(typeOf({ ...KEEP, properties: { spec: { type: "object" } } }), []);
  const value = object({ spec: { z: 1 }, data: { b: [1], a: { c: null } } });
  expect(ownedPaths(plan, value)).toEqual({
    ".": {},
    "f:data": { ".": {}, "f:a": { ".": {}, "f:c": {} }, "f:b": {} },
    "f:metadata": {},
    "f:spec": { ".": {}, "f:z": {} },
  });
  expect(Object.keys(configuredFields(plan, value))).toEqual(["f:data", "f:spec"]);
  expect(compareValues(plan, value, object({ spec: { z: 1 }, data: { b: [2] }, more: true }))).toEqual({
    added: { "f:more": {} },
    modified: { "f:data": { "f:b": {} } },
    removed: { "f:data": { "f:a": { ".": {}, "f:c": {} } } },
  });
});

test("what an apply does not speak of stays", () => {
  const plan = rootPlan(typeOf(KEEP), []);
  expect(mergeValues(plan, { data: { a: 1, b: 2 }, other: 3 }, { data: { b: 4 } })).toEqual({ data: { a: 1, b: 4 }, other: 3 });
});
