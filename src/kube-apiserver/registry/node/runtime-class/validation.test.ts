import { expect, test } from "vitest";
import type { RuntimeClass } from "#api/generated/node/v1.ts";
import { runtimeClassWarnings, validateRuntimeClass, validateRuntimeClassUpdate } from "./validation.ts";

const runtimeClass = (change: object): RuntimeClass => ({ metadata: {}, handler: "runc", ...change }) as RuntimeClass;
const toleration = { key: "a", operator: "Exists", effect: "NoSchedule" };
const cases: [string, RuntimeClass, string[]][] = [
  ["a handler", runtimeClass({}), []],
  ["none", runtimeClass({ handler: "" }), ["handler"]],
  ["a dot in it", runtimeClass({ handler: "a.b" }), ["handler"]],
  ["less than no overhead", runtimeClass({ overhead: { podFixed: { cpu: "-1" } } }), ["overhead.limits[cpu]"]],
  ["a toleration twice", runtimeClass({ scheduling: { tolerations: [toleration, toleration] } }), ["scheduling.tolerations[1]"]],
  [
    "a toleration twice, for different times",
    runtimeClass({
      scheduling: { tolerations: [1, 2].map((tolerationSeconds) => ({ key: "a", effect: "NoExecute", tolerationSeconds })) },
    }),
    ["scheduling.tolerations[1]"],
  ],
];
test.each(cases)("class with %s", (_name, object, want) => {
  expect(validateRuntimeClass(object).map(({ field }) => field)).toEqual(want);
});
test("the handler cannot change, and old labels are warned of", () => {
  expect(validateRuntimeClassUpdate(runtimeClass({}), runtimeClass({ handler: "x" })).map(({ field }) => field)).toEqual([
    "handler",
  ]);
  expect(runtimeClassWarnings(runtimeClass({ scheduling: { nodeSelector: { "beta.kubernetes.io/os": "linux" } } }))).toEqual([
    'scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/os" instead',
  ]);
});
