import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { encodeMessage } from "#apimachinery/protobuf/encode.ts";
import { inEnvelope } from "#apimachinery/protobuf/envelope.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import { assert } from "#base/assert.ts";
import { ResourceCache } from "../../cacher/resource-cache.ts";
import { encodeObject } from "../../serializer.ts";
import { DEFAULT_COLUMNS } from "../../table/table.ts";
import type { ResourceDefinition } from "../resource.ts";
import { servedForms } from "./served-form.ts";
import { storedEncoding } from "./stored-encoding.ts";
import { storedReader } from "./stored-value.ts";

const leases: ResourceDefinition<ApiObject> = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  singular: "lease",
  scope: "Namespaced",
  storagePrefix: "leases",
  columns: DEFAULT_COLUMNS,
  strategy: {
    setDefaults: (object) => {
      object.metadata.labels ??= { defaulted: "yes" };
    },
  },
};
const forms = servedForms(leases, schemaFor);
const [form] = forms;
assert(form !== undefined, "a resource has a storage version");
const reader = storedReader(leases, forms, storedEncoding("application/json", form));

const metadata = { name: "x", namespace: "default", uid: "u", creationTimestamp: "2026-01-02T03:04:05Z" };
const spec = { holderIdentity: "me", leaseDurationSeconds: 15, renewTime: "2026-01-02T03:04:05.000006Z" };
const whole = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { ...metadata, labels: { defaulted: "yes" } },
  spec,
};

function protobuf(apiVersion: string): Uint8Array {
  const schema = schemaFor("coordination.k8s.io", "v1", "Lease");
  assert(schema !== undefined, "Leases have a type");
  return inEnvelope(apiVersion, "Lease", encodeMessage(schema, { metadata, spec }));
}

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

test.each([
  { name: "protobuf", bytes: protobuf("coordination.k8s.io/v1") },
  { name: "JSON as Go writes it", bytes: json({ kind: "Lease", apiVersion: "coordination.k8s.io/v1", metadata, spec }) },
  { name: "JSON with its metadata behind", bytes: json({ spec, metadata, kind: "Lease", apiVersion: "coordination.k8s.io/v1" }) },
  { name: "an unserved version", bytes: json({ kind: "Lease", apiVersion: "coordination.k8s.io/v1beta1", metadata, spec }) },
])("$name is read, with defaults, in the storage version", ({ bytes }) => {
  expect(reader.read(bytes)).toEqual(whole);
});

test.each([
  { name: "another kind", bytes: json({ kind: "Pod", apiVersion: "v1", metadata }), want: "says that it is a Pod" },
  { name: "an encrypted value", bytes: Buffer.from("k8s:enc:aescbc:v1:key1:..."), want: "JSON" },
  { name: "a protobuf of no kind", bytes: Buffer.from("k8s\0"), want: "empty body" },
])("$name is refused", ({ bytes, want }) => {
  expect(() => reader.read(bytes)).toThrow(want);
});

test("a cache shows foreign values as own ones, and leaves own ones as they are", () => {
  const cache = new ResourceCache("/registry/leases/");
  cache.reader = reader;
  const foreign = cache.entryOf("/registry/leases/default/x", 7, protobuf("coordination.k8s.io/v1"));
  const own = encodeObject({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec } as ApiObject);
  const kept = cache.entryOf("/registry/leases/default/x", 8, own.bytes);
  expect(JSON.parse(Buffer.from(foreign.encoded.bytes).toString())).toEqual(whole);
  expect(foreign.object.metadata.resourceVersion).toBe("7");
  expect(kept.encoded.bytes).toEqual(own.bytes);
});
