import { expect, test } from "vitest";
import type { ApiObject } from "../meta/api-object.ts";
import { restoreTimes } from "./timestamps.ts";

const object = (value: string, ...times: string[]): ApiObject => {
  const entry = { manager: "m", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: { "f:data": {} } };
  return {
    metadata: { name: "a", managedFields: times.map((time) => ({ ...entry, time })) },
    data: { k: value },
  } as unknown as ApiObject;
};

test.each([
  { name: "times alone go back", given: object("v", "t2"), want: ["t1"] },
  { name: "times of a change stay", given: object("w", "t2"), want: ["t2"] },
  { name: "a new manager stays", given: object("v", "t1", "t2"), want: ["t1", "t2"] },
  { name: "no managers", given: object("v"), want: [] },
])("$name", ({ given, want }) => {
  restoreTimes(given, object("v", "t1"));
  expect(given.metadata.managedFields?.map(({ time }) => time)).toEqual(want);
});
