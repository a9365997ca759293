import { expect, test } from "vitest";
import type { Taint, Toleration } from "#api/generated/core/v1.ts";
import { hintOf, scoresOf, testNode, testNodeInfo, testPod, verdictOf } from "../../framework/test-objects.ts";
import { taintToleration } from "./taint-toleration.ts";

const tainted = (...taints: Taint[]) => testNodeInfo(testNode("a", { spec: { taints } }));
const TAINT: Taint = { key: "k", value: "v", effect: "NoSchedule" };
const NO = ["UnschedulableAndUnresolvable", "node(s) had untolerated taint(s)"];

test.each<{ name: string; taint: Taint; tolerations: Toleration[]; want: string[] }>([
  { name: "nothing tolerated", taint: TAINT, tolerations: [], want: NO },
  { name: "the same value", taint: TAINT, tolerations: [{ key: "k", operator: "Equal", value: "v" }], want: ["Success"] },
  { name: "another value", taint: TAINT, tolerations: [{ key: "k", value: "w" }], want: NO },
  { name: "any value", taint: TAINT, tolerations: [{ key: "k", operator: "Exists" }], want: ["Success"] },
  { name: "everything", taint: TAINT, tolerations: [{ operator: "Exists" }], want: ["Success"] },
  {
    name: "another effect",
    taint: { key: "k", effect: "NoExecute" },
    tolerations: [{ key: "k", operator: "Exists", effect: "NoSchedule" }],
    want: NO,
  },
  { name: "a mere preference", taint: { key: "k", effect: "PreferNoSchedule" }, tolerations: [], want: ["Success"] },
])("$name", ({ taint, tolerations, want }) => {
  expect(verdictOf(taintToleration(), testPod("p", { tolerations }), tainted(taint))).toEqual(want);
});

test("nodes with fewer taints that the pod would rather avoid are better", () => {
  const avoid = (key: string): Taint => ({ key, effect: "PreferNoSchedule" });
  const pod = testPod("p", { tolerations: [{ key: "c", operator: "Exists" }] });
  const nodes = [tainted(avoid("a"), avoid("b")), tainted(avoid("a"), avoid("c")), tainted()];
  expect(scoresOf(taintToleration(), pod, nodes)).toEqual([0, 50, 100]);
});

const node = (...taints: Taint[]) => testNode("a", { spec: { taints } });

test.each([
  ["a node comes that it tolerates", node(), undefined, "Queue"],
  ["a node comes that it does not", node(TAINT), undefined, "Skip"],
  ["what it does not tolerate goes", node(), node(TAINT), "Queue"],
  ["what it does not tolerate stays", node(TAINT), node(TAINT, { ...TAINT, key: "l" }), "Skip"],
  ["another taint goes", node(), node({ ...TAINT, key: "tolerated" }), "Skip"],
])("worth another attempt: %s", (_name, now, old, want) => {
  const pod = testPod("p", { tolerations: [{ key: "tolerated", operator: "Exists" }] });
  const event = old === undefined ? { action: "add" as const } : { action: "updateTaint" as const, old };
  expect(hintOf(taintToleration(), pod, { resource: "Node", node: now, ...event })).toBe(want);
});
