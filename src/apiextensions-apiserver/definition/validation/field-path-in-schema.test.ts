import { expect, test } from "vitest";
import { fieldInSchema } from "./field-path-in-schema.ts";

const schema = {
  type: "object",
  properties: {
    spec: { type: "object", properties: { color: { type: "string" }, "a.b": { type: "integer" } } },
    map: { type: "object", additionalProperties: { type: "boolean" } },
  },
};

test.each<[string, string]>([
  [".spec.color", "string"],
  [".spec['a.b']", "integer"],
  [".map['any']", "boolean"],
  [".map.any", "boolean"],
])("%s leads to a %s", (path, want) => {
  const found = fieldInSchema(path, schema, { brackets: true });
  expect(typeof found === "string" ? found : found.schema?.type).toBe(want);
});

test.each<[string, string]>([
  ["spec.color", "expected [ or . but got: spec"],
  [".spec.size", "does not refer to a valid field"],
  [".spec.color.x", "does not refer to a valid field"],
  [".spec[", "unexpected end of JSON path"],
  [".spec[0]", "expected single quoted string but got 0"],
  [".spec['color'", "unexpected end of JSON path"],
  [".", "unexpected end of JSON path"],
])("%s leads nowhere", (path, want) => {
  expect(fieldInSchema(path, schema, { brackets: true })).toBe(want);
});

test("brackets are refused where they may not be", () => {
  expect(fieldInSchema(".spec['a.b']", schema, { brackets: false })).toBe("array notation is not allowed");
});
