import { expect, test } from "vitest";
import type { LabelSelector } from "#api/generated/meta/v1.ts";
import { victimSelector } from "./victim-selector.ts";

test.each<{ name: string; selector: LabelSelector | undefined; want: boolean }>([
  { name: "that selects its labels does", selector: { matchLabels: { app: "kept" } }, want: true },
  { name: "with an empty selector does not", selector: {}, want: false },
  { name: "without a selector does not", selector: undefined, want: false },
])("a budget $name keep a pod from being a victim", ({ selector, want }) => {
  const budget = { metadata: {}, spec: selector === undefined ? {} : { selector } };
  expect(victimSelector(budget)?.matches({ app: "kept" }) ?? false).toBe(want);
});
