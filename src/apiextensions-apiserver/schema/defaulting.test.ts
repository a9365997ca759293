import { expect, test } from "vitest";
import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { dropForbiddenNulls, setSchemaDefaults } from "./defaulting.ts";
import { compileStructural } from "./structural.ts";

const size: JSONSchemaProps = { type: "integer", default: 3 };

const cases: readonly {
  readonly name: string;
  readonly schema: JSONSchemaProps;
  readonly value: unknown;
  readonly want: unknown;
}[] = [
  { name: "an absent field", schema: { properties: { size } }, value: {}, want: { size: 3 } },
  { name: "a given field", schema: { properties: { size } }, value: { size: 4 }, want: { size: 4 } },
  { name: "null where null may not be", schema: { properties: { size } }, value: { size: null }, want: { size: 3 } },
  {
    name: "null where null may be",
    schema: { properties: { size: { ...size, nullable: true } } },
    value: { size: null },
    want: { size: null },
  },
  { name: "null without a default goes", schema: { properties: { a: { type: "string" } } }, value: { a: null }, want: {} },
  {
    name: "defaults within a default",
    schema: { properties: { box: { type: "object", default: {}, properties: { size } } } },
    value: {},
    want: { box: { size: 3 } },
  },
  {
    name: "nothing within what is absent",
    schema: { properties: { box: { type: "object", properties: { size } } } },
    value: {},
    want: {},
  },
  {
    name: "items of lists and values of maps",
    schema: {
      properties: {
        list: { type: "array", items: { type: "object", properties: { size } } },
        map: { type: "object", additionalProperties: { type: "object", properties: { size } } },
      },
    },
    value: { list: [{}, { size: 1 }], map: { a: {} } },
    want: { list: [{ size: 3 }, { size: 1 }], map: { a: { size: 3 } } },
  },
];

test.each(cases)("$name", ({ schema, value, want }) => {
  const structural = compileStructural(schema);
  const object = structuredClone(value);
  dropForbiddenNulls(object, structural);
  setSchemaDefaults(object, structural);
  expect(object).toEqual(want);
});

test("objects do not share a default", () => {
  const structural = compileStructural({ properties: { box: { type: "object", default: { a: 1 } } } });
  const [one, two] = [{} as { box?: object }, {} as { box?: object }];
  setSchemaDefaults(one, structural);
  setSchemaDefaults(two, structural);
  expect(one.box).toEqual(two.box);
  expect(one.box).not.toBe(two.box);
});
