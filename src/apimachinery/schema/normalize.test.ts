import { expect, test } from "vitest";
import { normalizeObject, normalizeOwned } from "./normalize.ts";
import { schemaFor } from "./registry.ts";
import type { StructSchema } from "./type-schema.ts";

function schema(group: string, kind: string): StructSchema {
  const found = schemaFor(group, "v1", kind);
  if (found === undefined) throw new Error(`no schema of ${kind}`);
  return found;
}

const POD = schema("", "Pod");
const DEPLOYMENT = schema("apps", "Deployment");
const DEFINITION = schema("apiextensions.k8s.io", "CustomResourceDefinition");

const specOf = (spec: object, keepEmpty = false): object =>
  (normalizeObject(POD, { metadata: {}, spec }, keepEmpty) as unknown as { spec: object }).spec;

test.each([
  ["zero values that are left out", { hostNetwork: false, nodeName: "", containers: [] }, { containers: null }],
  ["what points to a zero value", { hostUsers: false, priority: 0 }, { hostUsers: false, priority: 0, containers: null }],
  ["none", { nodeName: null, volumes: null }, { containers: null }],
  ["what is not known", { unheardOf: 1 }, { containers: null }],
  [
    "structs that Go holds by value, in lists too",
    { containers: [{ name: "a", ports: [] }] },
    { containers: [{ name: "a", resources: {} }] },
  ],
])("a spec with %s", (_, given, want) => expect(specOf(given)).toEqual(want));

test("what is empty is kept where nothing is stored yet", () => {
  const empty = { containers: [] };
  expect(specOf(empty, true)).toEqual({ containers: [] });
  expect(specOf(empty)).toEqual({ containers: null });
});

test("apiVersion, kind and metadata come first", () => {
  const object = { spec: { containers: null }, metadata: { name: "a" }, apiVersion: "v1", kind: "Pod" };
  expect(Object.keys(normalizeObject(POD, object))).toEqual(["kind", "apiVersion", "metadata", "spec", "status"]);
});

test("types that contain themselves, maps of structs and unions", () => {
  const spec = { schema: { openAPIV3Schema: { properties: { a: { items: { type: "" } } } } } };
  const versions = [{ name: "v1", served: true, storage: true, ...spec }];
  const normal = normalizeObject(DEFINITION, { metadata: {}, spec: { versions } }) as unknown as { spec: { versions: object[] } };
  expect(normal.spec.versions[0]).toMatchObject({ schema: { openAPIV3Schema: { properties: { a: { items: {} } } } } });
  expect(JSON.stringify(normal)).not.toContain('"type":""');
});

test("parts that are as they should be are taken over, and others not changed", () => {
  const container = { name: "a", resources: {} };
  const template = { metadata: { creationTimestamp: null }, spec: { containers: [container, { name: "b" }] } };
  const given = { metadata: { name: "x" }, spec: { selector: null, strategy: {}, template } };
  const before = structuredClone(given);
  const normal = normalizeOwned(DEPLOYMENT, given) as typeof given;
  expect(given).toEqual(before);
  expect(normal.metadata).not.toBe(given.metadata);
  expect(normal.spec.template.spec.containers[0]).toBe(container);
  expect(normal.spec.template.spec.containers[1]).toEqual({ name: "b", resources: {} });
});
