import { expect, test } from "vitest";
import { coerceEmbedded } from "./coerce.ts";
import { compileStructural } from "./structural.ts";

const schema = compileStructural({
  type: "object",
  properties: { pod: { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true } },
});

test("unknown fields of metadata go, and are told", () => {
  const value = { pod: { apiVersion: "v1", kind: "Pod", metadata: { name: "a", odd: 1 } } };
  const unknown: string[] = [];
  expect(coerceEmbedded(value, schema, { dropInvalid: false, unknown })).toBeUndefined();
  expect(value.pod.metadata).toEqual({ name: "a" });
  expect(unknown).toEqual(["pod.metadata.odd"]);
});

test.each([
  {
    name: "a kind that is no text",
    pod: { apiVersion: "v1", kind: 3 },
    want: { field: "pod.kind", message: "Invalid value: 3: must be a string" },
    kept: { apiVersion: "v1" },
  },
  {
    name: "labels that are numbers",
    pod: { metadata: { name: "a", labels: { x: 1 } } },
    want: {
      field: "pod.metadata",
      message:
        'Invalid value: {"labels":{"x":1},"name":"a"}: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
    },
    kept: { metadata: { name: "a" } },
  },
])("$name is refused, or left out of what was stored", ({ pod, want, kept }) => {
  expect(coerceEmbedded({ pod: structuredClone(pod) }, schema, { dropInvalid: false })).toMatchObject(want);
  const stored = { pod: structuredClone(pod) };
  expect(coerceEmbedded(stored, schema, { dropInvalid: true })).toBeUndefined();
  expect(stored.pod).toEqual(kept);
});
