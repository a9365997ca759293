import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { customColumns } from "./columns.ts";

const NOW = Date.parse("2026-01-02T03:04:05Z");

test.each<[string, unknown, string | number | boolean | null]>([
  ["string", "x", "x"],
  ["string", 1, "1"],
  ["string", 2_500_000.5, "2.5000005e+06"],
  ["string", true, "true"],
  ["string", { b: "<", a: 1 }, '{"a":1,"b":"\\u003c"}'],
  ["string", ["a", "b"], '["a","b"]'],
  ["string", null, "<no value>"],
  ["integer", 3, 3],
  ["integer", 1.5, 1],
  ["integer", "3", null],
  ["number", 1.5, 1.5],
  ["number", "1.5", null],
  ["boolean", false, false],
  ["boolean", "true", null],
  ["date", "2026-01-02T03:03:05Z", "60s"],
  ["date", "yesterday", "<invalid>"],
  ["date", "", "<unknown>"],
  ["date", 5, null],
])("a %s column shows %j as %j", (type, value, want) => {
  const columns = customColumns({
    name: "v1",
    served: true,
    storage: true,
    additionalPrinterColumns: [{ name: "F", type, jsonPath: ".spec.f" }],
  });
  const object = { metadata: { name: "a" }, spec: { f: value } } as unknown as ApiObject;
  expect(columns.map((column) => column.cell(object, NOW))).toEqual(["a", want]);
  expect(columns[1]?.cell({ metadata: { name: "a" } } as ApiObject, NOW)).toBeNull();
});
