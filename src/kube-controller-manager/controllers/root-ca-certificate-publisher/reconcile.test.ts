import { expect, test } from "vitest";
import type { ConfigMap } from "#api/generated/core/v1.ts";
import { reconcile } from "./reconcile.ts";

const namespace = { metadata: { name: "ns" }, spec: {}, status: { phase: "Active" } };
const made = reconcile({ namespace, configMap: undefined, rootCa: "PEM" })[0]?.configMap as ConfigMap;

test.each([
  { name: "what it made is right", configMap: made, rootCa: "PEM", want: [] },
  { name: "another authority is published", configMap: made, rootCa: "NEW", want: ["update"] },
  {
    name: "further keys are taken away",
    configMap: { ...made, data: { ...made.data, other: "y" } },
    rootCa: "PEM",
    want: ["update"],
  },
])("$name", ({ configMap, rootCa, want }) => {
  const actions = reconcile({ namespace, configMap, rootCa });
  expect(actions.map(({ type }) => type)).toEqual(want);
  for (const action of actions) expect(action.configMap.data).toEqual({ "ca.crt": rootCa });
});
