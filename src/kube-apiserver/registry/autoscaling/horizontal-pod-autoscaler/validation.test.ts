import { expect, test } from "vitest";
import type { HorizontalPodAutoscaler } from "#api/generated/autoscaling/v2.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { validateAutoscaler, validateAutoscalerUpdate } from "./validation.ts";

const fields = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, type }) => `${field} ${type.replace("FieldValue", "")}`);
const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
const autoscaler = (change: object): HorizontalPodAutoscaler =>
  ({ metadata: { name: "a" }, spec: { minReplicas: 1, maxReplicas: 3, scaleTargetRef, ...change } }) as HorizontalPodAutoscaler;
const metric = (change: object): HorizontalPodAutoscaler => autoscaler({ metrics: [change] });
const target = { type: "Value", value: "1" };

const cases: [string, HorizontalPodAutoscaler, string[]][] = [
  ["what it needs", autoscaler({}), []],
  ["fewer at most than at least", autoscaler({ minReplicas: 4 }), ["spec.maxReplicas Invalid"]],
  ["no upper bound", autoscaler({ maxReplicas: 0 }), ["spec.maxReplicas Required", "spec.maxReplicas Invalid"]],
  [
    "a target of the core group",
    autoscaler({ scaleTargetRef: { ...scaleTargetRef, apiVersion: "v1" } }),
    ["spec.scaleTargetRef.apiVersion Invalid"],
  ],
  [
    "a replication controller",
    autoscaler({ scaleTargetRef: { apiVersion: "v1", kind: "ReplicationController", name: "a" } }),
    [],
  ],
  ["a metric without its source", metric({ type: "Pods" }), ["spec.metrics[0].pods Required"]],
  [
    "two sources",
    metric({ type: "External", external: { metric: { name: "m" }, target }, pods: {} }),
    ["spec.metrics[0].pods Forbidden"],
  ],
  [
    "a resource without a target",
    metric({ type: "Resource", resource: { name: "cpu", target: { type: "Utilization" } } }),
    ["spec.metrics[0].resource.target.averageUtilization Required"],
  ],
  [
    "rules without policies",
    autoscaler({ behavior: { scaleUp: { policies: [] } } }),
    ["spec.behavior.scaleUp.policies Required"],
  ],
];
test.each(cases)("autoscaler with %s", (_name, object, want) => {
  expect(fields(validateAutoscaler(object))).toEqual(want);
});

test("a bad API version of the target may stay", () => {
  const bad = autoscaler({ scaleTargetRef: { ...scaleTargetRef, apiVersion: "v1" } });
  expect(validateAutoscalerUpdate(bad, bad)).toEqual([]);
});
