import { beforeAll, expect, test } from "vitest";
import type { CustomResourceDefinition, JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { loadPatterns, type PatternCompiler } from "../../validation/patterns.ts";
import { validateDefinition, validateDefinitionUpdate } from "./definition.ts";

let patterns: PatternCompiler;
beforeAll(async () => {
  [patterns] = await Promise.all([loadPatterns(), loadKubernetesCel()]);
});

type Spec = CustomResourceDefinition["spec"];

function definition(f: JSONSchemaProps, spec: Partial<Spec> = {}): CustomResourceDefinition {
  const schema = { openAPIV3Schema: { type: "object", properties: { f } } };
  return {
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      scope: "Cluster",
      names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
      versions: [{ name: "v1", served: true, storage: true, schema }],
      ...spec,
    },
    status: { storedVersions: ["v1"] },
  };
}

const F = "spec.validation.openAPIV3Schema.properties[f]";
const text: JSONSchemaProps = { type: "string" };

test.each<{ name: string; f: JSONSchemaProps; want: string[] }>([
  { name: "a plain schema", f: text, want: [] },
  { name: "no type", f: {}, want: [`${F}.type: Required value: must not be empty for specified object fields`] },
  { name: "a list without items", f: { type: "array" }, want: [`${F}.items: Required value: must be specified`] },
  {
    name: "an alternative that declares a type",
    f: { type: "string", anyOf: [{ type: "string" }] },
    want: [`${F}.anyOf[0].type: Forbidden: must be empty to be structural`],
  },
  {
    name: "an integer or string that says so",
    f: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
    want: [],
  },
  {
    name: "a pattern that is none",
    f: { type: "string", pattern: "a(" },
    want: [
      `${F}.pattern: Invalid value: "a(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`a(\``,
    ],
  },
  {
    name: "a default of another type",
    f: { type: "string", default: 3 },
    want: [`${F}.default: Invalid value: "integer":  in body must be of type string: "integer"`],
  },
  {
    name: "a default with unknown fields",
    f: { type: "object", properties: { a: text }, default: { z: 1 } },
    want: [`${F}.default: Invalid value: {"z":1}: must not have unknown fields`],
  },
  {
    name: "a default that a rule refuses",
    f: { type: "string", default: "a", "x-kubernetes-validations": [{ rule: "self == 'b'" }] },
    want: [`${F}.default: Invalid value: "a": failed rule: self == 'b'`],
  },
  {
    name: "a list with an optional key",
    f: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["k"],
      items: { type: "object", properties: { k: text } },
    },
    want: [
      `${F}.items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
    ],
  },
])("schema: $name", ({ f, want }) => {
  const errors = validateDefinition(definition(f), patterns);
  expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual(want);
});

test("alternatives at the root are about declared fields", () => {
  const openAPIV3Schema = { type: "object", not: { properties: { b: { minLength: 1 } } } };
  const versions = [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema } }];
  const errors = validateDefinition(definition(text, { versions }), patterns);
  const root = "spec.validation.openAPIV3Schema";
  expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual([
    `${root}.properties[b]: Required value: because it is defined in ${root}.not.properties[b]`,
  ]);
});

test("versions that differ are told one by one", () => {
  const one = { openAPIV3Schema: { type: "object" } };
  const two = { openAPIV3Schema: { type: "object", properties: { f: {} } } };
  const versions = [
    { name: "v1", served: true, storage: true, schema: one },
    { name: "v2", served: true, storage: false, schema: two },
  ];
  expect(validateDefinition(definition(text, { versions }), patterns).map(({ field }) => field)).toEqual([
    "spec.versions[1].schema.openAPIV3Schema.properties[f].type",
  ]);
});

test("a stored version may not leave the spec", () => {
  const old = definition(text);
  const versions = old.spec.versions.map((version) => ({ ...version, name: "v2" }));
  const changed = { ...old, spec: { ...old.spec, versions }, status: { storedVersions: ["v1", "v2"] } };
  expect(validateDefinitionUpdate(changed, old, patterns).map(({ field }) => field)).toEqual(["status.storedVersions[0]"]);
});

test("names stay while objects are stored under them", () => {
  const conditions = [{ type: "Established", status: "True" }];
  const old = { ...definition(text), status: { storedVersions: ["v1"], conditions } };
  const changed = { ...old, spec: { ...old.spec, scope: "Namespaced", names: { ...old.spec.names, kind: "Gadget" } } };
  expect(validateDefinitionUpdate(changed, old, patterns).map(({ field, message }) => `${field}: ${message}`)).toEqual([
    'spec.scope: Invalid value: "Namespaced": field is immutable',
    'spec.names.kind: Invalid value: "Gadget": field is immutable',
  ]);
});

test("what was wrong before there was a rule may stay", () => {
  const sets: JSONSchemaProps = { type: "array", "x-kubernetes-list-type": "set", items: { type: "object", nullable: true } };
  const old = definition(sets);
  expect(validateDefinition(old, patterns)).not.toEqual([]);
  expect(validateDefinitionUpdate(old, old, patterns)).toEqual([]);
});
