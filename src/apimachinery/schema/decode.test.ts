import { assert, describe, expect, test } from "vitest";
import { decodeJson, decodeObject } from "./decode.ts";
import { exactDecode } from "./exact-decode.ts";
import { parseJsonNodes } from "./json-parse.ts";
import { normalizeObject } from "./normalize.ts";
import { schemaFor } from "./registry.ts";
import type { StructSchema } from "./type-schema.ts";

function schemaOf(group: string, version: string, kind: string): StructSchema {
  const schema = schemaFor(group, version, kind);
  assert(schema !== undefined, kind);
  return schema;
}

const pod = schemaOf("", "v1", "Pod");
const secret = schemaOf("", "v1", "Secret");
const event = schemaOf("", "v1", "Event");

describe("canonical form", () => {
  test.each([
    ["null is no value", secret, '{"type":null,"data":null}', { metadata: {} }],
    ["null in a map is the zero value", secret, '{"stringData":{"a":null}}', { metadata: {}, stringData: { a: "" } }],
    ["line breaks in base64", secret, '{"data":{"a":"YW\\nI="}}', { metadata: {}, data: { a: "YWI=" } }],
    [
      "empty lists and maps stay, as Go tells them from none",
      secret,
      '{"metadata":{"finalizers":[],"labels":{}}}',
      { metadata: { finalizers: [], labels: {} } },
    ],
    [
      "a repeated struct is merged",
      secret,
      '{"metadata":{"name":"a"},"metadata":{"uid":"u"}}',
      { metadata: { name: "a", uid: "u" } },
    ],
    [
      "times lose fractions and zones",
      secret,
      '{"metadata":{"creationTimestamp":"2024-01-02T03:04:05.6+02:00"}}',
      {
        metadata: { creationTimestamp: "2024-01-02T01:04:05Z" },
      },
    ],
    [
      "a name that is a prototype's",
      secret,
      '{"stringData":{"__proto__":"x"}}',
      { metadata: {}, stringData: JSON.parse('{"__proto__":"x"}') },
    ],
  ])("%s", (_, schema, text, want) => {
    expect(decodeJson(schema, text, { strict: true }).object).toEqual(want);
  });
});

describe("failures", () => {
  test.each([
    [
      "wrong type of a list",
      pod,
      '{"spec":{"containers":{}}}',
      "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
    ],
    [
      "inlined struct",
      pod,
      '{"spec":{"volumes":[{"emptyDir":[]}]}}',
      "json: cannot unmarshal array into Go struct field Volume.spec.volumes.VolumeSource.emptyDir of type v1.EmptyDirVolumeSource",
    ],
    [
      "integer with a fraction",
      pod,
      '{"spec":{"priority":1.0}}',
      "json: cannot unmarshal number 1.0 into Go struct field PodSpec.spec.priority of type int32",
    ],
    [
      "integer out of range",
      pod,
      '{"spec":{"priority":2147483648}}',
      "json: cannot unmarshal number 2147483648 into Go struct field PodSpec.spec.priority of type int32",
    ],
    [
      "own reader wins over an earlier wrong type",
      event,
      '{"reason":1,"firstTimestamp":"x"}',
      'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
    ],
    ["base64", secret, '{"data":{"a":"YWI"}}', "illegal base64 data at input byte 0"],
    ["cut off", secret, '{"data":', "unexpected end of JSON input"],
    ["no value", secret, '{"data":}', "invalid character '}' looking for beginning of value"],
    ["bad escape", secret, '{"type":"\\x"}', "invalid character 'x' in string escape code"],
    ["bad literal", secret, '{"immutable":trve}', "invalid character 'v' in literal true (expecting 'u')"],
  ])("%s", (_, schema, text, message) => {
    expect(() => decodeJson(schema, text, { strict: true })).toThrow(message);
  });
});

describe("strict messages", () => {
  test.each([
    [
      "unknown and repeated, in order",
      '{"a":1,"type":"x","type":"y","metadata":{"b":{}}}',
      ['unknown field "a"', 'duplicate field "type"', 'unknown field "metadata.b"'],
    ],
    ["case matters", '{"Type":"x"}', ['unknown field "Type"']],
    ["keys of maps", '{"stringData":{"k":"1","k":"2"}}', ['duplicate field "stringData.k"']],
    [
      "elements of lists",
      '{"metadata":{"ownerReferences":[{"name":"a"},{"nope":1}]}}',
      ['unknown field "metadata.ownerReferences[1].nope"'],
    ],
  ])("%s", (_, text, want) => {
    expect(decodeJson(secret, text, { strict: true }).strict).toEqual(want);
  });
});

const FULL = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "a", labels: { x: "y" }, creationTimestamp: "2024-01-01T00:00:00Z" },
  spec: {
    containers: [{ name: "c", image: "i", resources: { limits: { cpu: "0.5", memory: 1024 } }, ports: [{ containerPort: 80 }] }],
    volumes: [{ name: "v", emptyDir: {} }],
    tolerations: [{ tolerationSeconds: 0 }],
  },
};

test("the fast and the exact decoder agree", () => {
  const text = JSON.stringify(FULL);
  const fast = decodeJson(pod, text, { strict: true }).object;
  expect(fast).toEqual(exactDecode(pod, parseJsonNodes(text)).object);
  expect(decodeObject(pod, FULL).object).toEqual(fast);
});

test("normalising writes what Go's encoder does", () => {
  const object = normalizeObject(pod, decodeJson(pod, JSON.stringify(FULL), { strict: true }).object);
  expect(object).toEqual({
    apiVersion: "v1",
    kind: "Pod",
    metadata: FULL.metadata,
    spec: {
      containers: [
        { name: "c", image: "i", resources: { limits: { cpu: "500m", memory: "1024" } }, ports: [{ containerPort: 80 }] },
      ],
      volumes: [{ name: "v", emptyDir: {} }],
      tolerations: [{ tolerationSeconds: 0 }],
    },
    status: {},
  });
  expect(normalizeObject(event, { metadata: {} })).toMatchObject({
    firstTimestamp: null,
    eventTime: null,
    source: {},
    reportingComponent: "",
  });
  expect(normalizeObject(schemaOf("rbac.authorization.k8s.io", "v1", "Role"), { metadata: {}, rules: [] })).toEqual({
    metadata: {},
    rules: null,
  });
});

test.each([
  ["9999-12-31T23:59:59-01:00", "10000-01-01T00:59:59Z"],
  ["0000-01-01T00:00:00+01:00", "-0001-12-31T23:00:00Z"],
  ["2026-01-01T00:00:00.9+01:00", "2025-12-31T23:00:00Z"],
])("%s is written as %s", (given, want) => {
  const { object } = decodeJson(pod, JSON.stringify({ metadata: { creationTimestamp: given } }), { strict: false });
  expect(object).toMatchObject({ metadata: { creationTimestamp: want } });
});

test("what is one of several shapes is written by the type of its shape", () => {
  const props = { items: { properties: {} }, additionalProperties: { required: [], type: "a" }, default: { required: [] } };
  const schema = schemaOf("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
  const spec = {
    group: "",
    names: { plural: "", kind: "" },
    scope: "",
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { ...props, not: {} } } }],
  };
  const { object } = decodeObject(schema, { metadata: {}, spec });
  const written = normalizeObject(schema, object) as unknown as { spec: { versions: { schema: object }[] } };
  expect(written.spec.versions[0]?.schema).toEqual({
    openAPIV3Schema: { items: {}, additionalProperties: { type: "a" }, default: { required: [] }, not: {} },
  });
});
