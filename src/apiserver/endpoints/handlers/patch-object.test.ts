import { expect, test } from "vitest";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { ExpectedKind } from "./body.ts";
import { Patch, type PatchKind } from "./patch-object.ts";
import type { FieldValidation } from "./write-options.ts";

const configMap: ExpectedKind = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  schema: schemaFor("", "v1", "ConfigMap") ?? expect.unreachable(),
};
const current = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { k: "v" } };

function apply(kind: PatchKind, text: string, validation: FieldValidation = "Strict", warnings: string[] = []): unknown {
  return Patch.parse(kind, Buffer.from(text), validation).apply(current, configMap, warnings);
}

const SYNTAX = "invalid character 'x' looking for beginning of value";
test.each<[PatchKind, FieldValidation, string]>([
  ["application/json-patch+json", "Warn", `error decoding patch: ${SYNTAX}`],
  ["application/json-patch+json", "Ignore", SYNTAX],
  ["application/merge-patch+json", "Strict", `error decoding patch: ${SYNTAX}`],
  ["application/merge-patch+json", "Ignore", "Invalid JSON Patch"],
  ["application/strategic-merge-patch+json", "Warn", SYNTAX],
])("%s that is no JSON is refused when it is applied, with %s", (kind, validation, message) => {
  const patch = Patch.parse(kind, Buffer.from("x"), validation);
  expect(() => patch.apply(current, configMap, [])).toThrow(expect.objectContaining({ code: 400, message }));
});

test.each<[PatchKind, string]>([
  ["application/json-patch+json", '[{"op":"add","path":"/data/x","value":"y"}]'],
  ["application/merge-patch+json", '{"data":{"x":"y"}}'],
  ["application/strategic-merge-patch+json", '{"data":{"x":"y"}}'],
])("%s changes the object, and not what it was made from", (kind, text) => {
  expect(apply(kind, text)).toEqual({ ...current, data: { k: "v", x: "y" } });
  expect(current.data).toEqual({ k: "v" });
});

test("an unknown field is refused, told or passed over", () => {
  const text = '{"bogus":1}';
  const type = "application/merge-patch+json";
  expect(() => apply(type, text)).toThrow('strict decoding error: unknown field "bogus"');
  const warnings: string[] = [];
  expect(apply(type, text, "Warn", warnings)).toEqual(current);
  expect(warnings).toEqual(['unknown field "bogus"']);
  expect(apply(type, text, "Ignore")).toEqual(current);
});

test("without an apiVersion nothing is known but metadata at the top", () => {
  const warnings: string[] = [];
  const read = apply("application/merge-patch+json", '{"apiVersion":null,"name":"b"}', "Warn", warnings);
  expect(read).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "b" } });
  expect(warnings).toEqual(['unknown field "data"', 'unknown field "metadata"']);
});
