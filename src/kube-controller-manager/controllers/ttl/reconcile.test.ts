import { expect, test } from "vitest";
import { nextStep, reconcile } from "./reconcile.ts";

test.each([
  { name: "small clusters ask every time", step: 0, nodes: 1, want: 0 },
  { name: "beyond a hundred nodes the next step begins", step: 0, nodes: 101, want: 1 },
  { name: "which lasts until there are clearly fewer", step: 1, nodes: 95, want: 1 },
  { name: "and then ends", step: 1, nodes: 89, want: 0 },
  { name: "several steps at once", step: 0, nodes: 5000, want: 4 },
])("$name", ({ step, nodes, want }) => {
  expect(nextStep(step, nodes)).toBe(want);
});

test("a node is annotated once", () => {
  const node = { metadata: { name: "n" }, spec: {} };
  expect(reconcile({ node, step: 0 })).toEqual([{ type: "annotate", name: "n", value: "0" }]);
  const annotated = { metadata: { name: "n", annotations: { "node.alpha.kubernetes.io/ttl": "0" } }, spec: {} };
  expect(reconcile({ node: annotated, step: 0 })).toEqual([]);
});
