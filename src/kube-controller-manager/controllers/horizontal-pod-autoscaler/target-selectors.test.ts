import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { parseLabelSelector } from "#apimachinery/labels/parse.ts";
import { TargetSelectors } from "./target-selectors.ts";

const pod = (labels: Record<string, string>): Pod => ({ metadata: { labels }, spec: { containers: [] } });

test("autoscalers that select any of the pods are found, in the order of their names", () => {
  const selectors = new TargetSelectors();
  selectors.set("ns/web", parseLabelSelector("app=web"));
  selectors.set("ns/tier", parseLabelSelector("tier in (front,back)"));
  selectors.set("ns/both", parseLabelSelector("app=web,tier=back"));
  selectors.set("ns/other", parseLabelSelector("app=other"));
  selectors.set("elsewhere/web", parseLabelSelector("app=web"));
  const found = (...pods: Pod[]): string[] => selectors.selectingAny("ns", pods);
  expect(found(pod({ app: "web" }))).toEqual(["ns/web"]);
  expect(found(pod({ app: "web" }), pod({ tier: "front" }))).toEqual(["ns/tier", "ns/web"]);
  expect(found(pod({ app: "web", tier: "back" }))).toEqual(["ns/both", "ns/tier", "ns/web"]);
  expect(found()).toEqual([]);
  selectors.set("ns/web", parseLabelSelector("app=moved"));
  selectors.delete("ns/tier");
  selectors.delete("ns/unknown");
  expect(found(pod({ app: "web" }), pod({ tier: "front" }))).toEqual([]);
  expect(found(pod({ app: "moved" }))).toEqual(["ns/web"]);
});
