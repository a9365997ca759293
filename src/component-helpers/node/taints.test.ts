import { expect, test } from "vitest";
import type { Taint, Toleration } from "#api/generated/core/v1.ts";
import { findUntoleratedTaint, matchTaint, toleratesTaint } from "./taints.ts";

const taint: Taint = { key: "k", value: "5", effect: "NoSchedule" };

test.each<[string, Toleration, boolean]>([
  ["equal", { key: "k", operator: "Equal", value: "5", effect: "NoSchedule" }, true],
  ["no operator is Equal", { key: "k", value: "5" }, true],
  ["another value", { key: "k", value: "6" }, false],
  ["another key", { key: "x", operator: "Exists" }, false],
  ["another effect", { key: "k", operator: "Exists", effect: "NoExecute" }, false],
  ["any value", { key: "k", operator: "Exists" }, true],
  ["everything", { operator: "Exists" }, true],
  ["less", { key: "k", operator: "Lt", value: "6" }, true],
  ["not less", { key: "k", operator: "Lt", value: "5" }, false],
  ["greater", { key: "k", operator: "Gt", value: "-1" }, true],
  ["greater than what is no number", { key: "k", operator: "Gt", value: "1.5" }, false],
  ["an operator to come", { key: "k", operator: "Near", value: "5" }, false],
])("a toleration: %s", (_, toleration, want) => {
  expect(toleratesTaint(toleration, taint)).toBe(want);
});

test("the first taint with an effect that counts is found", () => {
  const others: Taint[] = [
    { key: "soft", effect: "PreferNoSchedule" },
    { key: "tolerated", effect: "NoSchedule" },
    { key: "hard", effect: "NoSchedule" },
  ];
  expect(findUntoleratedTaint(others, [{ key: "tolerated", operator: "Exists" }], ["NoSchedule"])?.key).toBe("hard");
});

test("taints are the same by key and effect", () => {
  expect([matchTaint(taint, { ...taint, value: "6" }), matchTaint(taint, { ...taint, effect: "NoExecute" })]).toEqual([
    true,
    false,
  ]);
});
