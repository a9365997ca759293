import { expect, test } from "vitest";
import type { ApiObject, ManagedFieldsEntry } from "../meta/api-object.ts";
import { schemaFor } from "../schema/registry.ts";
import type { StructSchema } from "../schema/type-schema.ts";
import { trackUpdate } from "./update.ts";

function schema(group: string, kind: string): StructSchema {
  const found = schemaFor(group, "v1", kind);
  if (found === undefined) throw new Error(`no schema of ${kind}`);
  return found;
}

interface Write {
  readonly old?: ApiObject;
  readonly object: Record<string, unknown>;
  readonly manager?: string;
  readonly now?: string;
  readonly subresource?: string;
  readonly resetFields?: readonly string[];
}

function write({
  old,
  object,
  manager = "m",
  now = "2026-01-01T00:00:00Z",
  subresource = "",
  resetFields = ["status"],
}: Write): ApiObject {
  const kind = String(object.kind);
  const draft = structuredClone({ apiVersion: "v1", metadata: {}, ...object }) as ApiObject;
  trackUpdate({ schema: schema("", kind), old, object: draft, manager, apiVersion: "v1", subresource, now, resetFields });
  draft.metadata.uid = "u";
  return draft;
}

const fieldsOf = (object: ApiObject, manager = "m"): unknown =>
  object.metadata.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1;

const creations: readonly (readonly [string, Record<string, unknown>, unknown])[] = [
  ["keys of a map", { kind: "ConfigMap", data: { a: "1" } }, { "f:data": { ".": {}, "f:a": {} } }],
  ["nothing for a name", { kind: "ConfigMap", metadata: { name: "x", labels: {} } }, undefined],
  [
    "labels, and finalizers by value",
    { kind: "ConfigMap", metadata: { name: "x", labels: { l: "1" }, finalizers: ["a/b"] } },
    { "f:metadata": { "f:finalizers": { ".": {}, 'v:"a/b"': {} }, "f:labels": { ".": {}, "f:l": {} } } },
  ],
  [
    "containers by name and ports by their keys",
    { kind: "Pod", spec: { containers: [{ name: "c", resources: {}, ports: [{ containerPort: 80 }] }] } },
    {
      "f:spec": {
        "f:containers": {
          'k:{"name":"c"}': {
            ".": {},
            "f:name": {},
            "f:ports": { ".": {}, 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} } },
            "f:resources": {},
          },
        },
      },
    },
  ],
  ["atomic maps as one", { kind: "Pod", spec: { nodeSelector: { a: "b" } } }, { "f:spec": { "f:nodeSelector": {} } }],
  ["empty lists that are given", { kind: "Pod", spec: { containers: [] } }, { "f:spec": { "f:containers": {} } }],
  ["no status", { kind: "Pod", spec: {}, status: { phase: "Running" } }, undefined],
];
test.each(creations)("a creator owns %s", (_name, object, want) => {
  expect(fieldsOf(write({ object }))).toEqual(want);
});

test("a change takes ownership, a removal ends it, and other entries keep their time", () => {
  const created = write({ object: { kind: "ConfigMap", data: { a: "1", b: "1", c: "1" } } });
  const changed = write({
    old: created,
    object: { kind: "ConfigMap", data: { a: "2", b: "1" } },
    manager: "n",
    now: "2026-01-02T00:00:00Z",
  });
  expect(changed.metadata.managedFields).toEqual([
    entry("m", "2026-01-01T00:00:00Z", { "f:data": { ".": {}, "f:b": {} } }),
    entry("n", "2026-01-02T00:00:00Z", { "f:data": { "f:a": {} } }),
  ]);
});

function entry(manager: string, time: string, fieldsV1: Record<string, unknown>): ManagedFieldsEntry {
  return { manager, operation: "Update", apiVersion: "v1", time, fieldsType: "FieldsV1", fieldsV1 };
}

test("a write without change leaves entries as they are", () => {
  const created = write({ object: { kind: "ConfigMap", data: { a: "1" } } });
  const again = write({
    old: created,
    object: { kind: "ConfigMap", data: { a: "1" } },
    manager: "n",
    now: "2027-01-01T00:00:00Z",
  });
  expect(again.metadata.managedFields).toEqual(created.metadata.managedFields);
});

test.each([
  ["an empty list", []],
  ["a list of one empty entry", [{}]],
])("%s stops the tracking", (_name, managedFields) => {
  const created = write({ object: { kind: "ConfigMap", data: { a: "1" } } });
  const reset = write({ old: created, object: { kind: "ConfigMap", metadata: { managedFields }, data: { a: "2" } } });
  expect(reset.metadata.managedFields).toBeUndefined();
});

test("malformed entries of a client are not taken", () => {
  const created = write({ object: { kind: "ConfigMap", data: { a: "1" } } });
  const managedFields = [{ manager: "x", operation: "Nope" }];
  const changed = write({ old: created, object: { kind: "ConfigMap", metadata: { managedFields }, data: { a: "1" } } });
  expect(changed.metadata.managedFields).toEqual(created.metadata.managedFields);
});

test("a subresource has an entry of its own", () => {
  const created = write({ object: { kind: "Pod", spec: {}, metadata: { labels: { a: "b" } } } });
  const object = { kind: "Pod", spec: {}, metadata: { labels: { a: "b" } }, status: { phase: "Running" } };
  const changed = write({ old: created, object, subresource: "status", resetFields: ["spec"] });
  expect(changed.metadata.managedFields?.map(({ subresource, fieldsV1 }) => [subresource, fieldsV1])).toEqual([
    [undefined, { "f:metadata": { "f:labels": { ".": {}, "f:a": {} } } }],
    ["status", { "f:status": { "f:phase": {} } }],
  ]);
});

test("more than ten managers that update are folded, oldest first", () => {
  let object = write({ object: { kind: "ConfigMap", data: { k0: "1" } }, manager: "m0" });
  const data: Record<string, string> = { k0: "1" };
  for (let i = 1; i <= 11; i++) {
    data[`k${i}`] = "1";
    const now = `2026-01-01T00:00:${String(i).padStart(2, "0")}Z`;
    object = write({ old: object, object: { kind: "ConfigMap", data }, manager: `m${i}`, now });
  }
  expect(object.metadata.managedFields).toHaveLength(10);
  expect(fieldsOf(object, "ancient-changes")).toEqual({ "f:data": { ".": {}, "f:k0": {}, "f:k1": {}, "f:k2": {} } });
});
