import { expect, test } from "vitest";
import type { PriorityClass } from "#api/generated/scheduling/v1.ts";
import { validatePriorityClass, validatePriorityClassUpdate } from "./validation.ts";

const named = (name: string, value: number, change: object = {}): PriorityClass =>
  ({ metadata: { name }, value, preemptionPolicy: "Never", ...change }) as PriorityClass;
const cases: [string, PriorityClass, string[]][] = [
  ["a user's priority", named("a", 1_000_000_000), []],
  ["the system's priority", named("a", 1_000_000_001), ["value"]],
  ["the system's name", named("system-x", 1), ["metadata.name"]],
  ["the system's own class", named("system-node-critical", 2_000_001_000), []],
  ["the system's class with another value", named("system-node-critical", 1), ["metadata.name"]],
  ["an unknown policy", named("a", 1, { preemptionPolicy: "x" }), ["preemptionPolicy"]],
];
test.each(cases)("class with %s", (_name, object, want) => {
  expect(validatePriorityClass(object).map(({ field }) => field)).toEqual(want);
});
test("a value cannot change", () => {
  expect(validatePriorityClassUpdate(named("a", 2), named("a", 1)).map(({ field }) => field)).toEqual(["value"]);
});
