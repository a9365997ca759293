import { expect, test } from "vitest";
import { reconcile } from "./reconcile.ts";

test.each([
  { name: "a namespace without account gets it", phase: "Active", account: undefined, want: ["create"] },
  { name: "one that has it does not", phase: "Active", account: { metadata: { name: "default" } }, want: [] },
  { name: "nor one that is going", phase: "Terminating", account: undefined, want: [] },
])("$name", ({ phase, account, want }) => {
  const actions = reconcile({ namespace: { metadata: { name: "ns" }, spec: {}, status: { phase } }, account });
  expect(actions.map(({ type }) => type)).toEqual(want);
});
