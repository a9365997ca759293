import { expect, test } from "vitest";
import type { LabelSelector } from "#api/generated/meta/v1.ts";
import { budgetSelector } from "./budget-selector.ts";

const selects = (selector: LabelSelector | undefined): boolean =>
  budgetSelector({ metadata: {}, spec: selector === undefined ? {} : { selector } })?.matches({ app: "kept" }) ?? false;

test.each<{ name: string; selector: LabelSelector | undefined; want: boolean }>([
  { name: "that selects its labels does", selector: { matchLabels: { app: "kept" } }, want: true },
  { name: "that selects other labels does not", selector: { matchLabels: { app: "other" } }, want: false },
  { name: "with an empty selector does", selector: {}, want: true },
  { name: "without a selector does not", selector: undefined, want: false },
  {
    name: "whose selector cannot be read does not",
    selector: { matchExpressions: [{ key: "app", operator: "Near", values: ["kept"] }] },
    want: false,
  },
])("a budget $name guard a pod", ({ selector, want }) => {
  expect(selects(selector)).toBe(want);
});
