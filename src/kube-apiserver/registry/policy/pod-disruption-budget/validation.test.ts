import { expect, test } from "vitest";
import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import { validatePodDisruptionBudget, validatePodDisruptionBudgetStatus } from "./validation.ts";

const budget = (spec: object): PodDisruptionBudget => ({ metadata: {}, spec }) as PodDisruptionBudget;
const cases: [string, PodDisruptionBudget, string[]][] = [
  ["a number", budget({ minAvailable: 1 }), []],
  ["a percentage", budget({ maxUnavailable: "50%" }), []],
  ["both", budget({ minAvailable: 1, maxUnavailable: 1 }), ["spec"]],
  ["a number as text", budget({ minAvailable: "3" }), ["spec.minAvailable"]],
  ["less than none", budget({ minAvailable: -1 }), ["spec.minAvailable"]],
  ["more than all", budget({ maxUnavailable: "101%" }), ["spec.maxUnavailable"]],
  ["an unknown policy", budget({ unhealthyPodEvictionPolicy: "x" }), ["spec.unhealthyPodEvictionPolicy"]],
];
test.each(cases)("budget with %s", (_name, object, want) => {
  expect(validatePodDisruptionBudget(object).map(({ field }) => field)).toEqual(want);
});

test("conditions are checked whole", () => {
  const { status } = { status: { conditions: [{ type: "A", status: "x", reason: "R" }] } };
  const errors = validatePodDisruptionBudgetStatus({ metadata: {}, status } as unknown as PodDisruptionBudget);
  expect(errors.map(({ field }) => field)).toEqual(["status.conditions[0].status", "status.conditions[0].lastTransitionTime"]);
});
