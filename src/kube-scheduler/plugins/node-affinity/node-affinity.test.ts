import { expect, test } from "vitest";
import type { NodeSelectorTerm, PodSpec } from "#api/generated/core/v1.ts";
import { CycleState } from "../../framework/cycle-state.ts";
import { podInfo } from "../../framework/pod-info.ts";
import { hintOf, scoresOf, testNode, testNodeInfo, testPod, verdictOf } from "../../framework/test-objects.ts";
import { nodeAffinity } from "./node-affinity.ts";

const node = testNodeInfo(testNode("a", { labels: { disk: "ssd", num: "5" } }));
const required = (...nodeSelectorTerms: NodeSelectorTerm[]): Partial<PodSpec> => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const label = (key: string, operator: string, ...values: string[]): NodeSelectorTerm => ({
  matchExpressions: [{ key, operator, values }],
});
const field = (operator: string, ...values: string[]): NodeSelectorTerm => ({
  matchFields: [{ key: "metadata.name", operator, values }],
});
const NO = ["UnschedulableAndUnresolvable", "node(s) didn't match Pod's node affinity/selector"];

test.each<{ name: string; spec: Partial<PodSpec>; want: string[] }>([
  { name: "nothing asked", spec: {}, want: ["Skip"] },
  { name: "selector that matches", spec: { nodeSelector: { disk: "ssd" } }, want: ["Success"] },
  { name: "selector that does not", spec: { nodeSelector: { disk: "hdd" } }, want: NO },
  { name: "In", spec: required(label("disk", "In", "hdd", "ssd")), want: ["Success"] },
  { name: "In, not", spec: required(label("disk", "In", "hdd")), want: NO },
  { name: "NotIn of an absent label", spec: required(label("zone", "NotIn", "x")), want: ["Success"] },
  { name: "Exists", spec: required(label("disk", "Exists")), want: ["Success"] },
  { name: "DoesNotExist, not", spec: required(label("disk", "DoesNotExist")), want: NO },
  { name: "Gt", spec: required(label("num", "Gt", "4")), want: ["Success"] },
  { name: "Gt, not", spec: required(label("num", "Gt", "5")), want: NO },
  { name: "Lt, not", spec: required(label("num", "Lt", "5")), want: NO },
  { name: "one term of two is enough", spec: required(label("disk", "In", "hdd"), label("num", "Exists")), want: ["Success"] },
  { name: "an empty term matches nothing", spec: required({}), want: NO },
  { name: "a field that matches", spec: required(field("In", "a")), want: ["Success"] },
  { name: "a field that does not", spec: required(field("NotIn", "a")), want: NO },
  {
    name: "names that exclude each other",
    spec: required({ matchFields: [...(field("In", "a").matchFields ?? []), ...(field("In", "b").matchFields ?? [])] }),
    want: ["UnschedulableAndUnresolvable", "pod affinity terms conflict"],
  },
])("required: $name", ({ spec, want }) => {
  expect(verdictOf(nodeAffinity(), testPod("p", spec), node)).toEqual(want);
});

test.each([
  { name: "all terms name nodes", spec: required(field("In", "a", "b"), field("In", "c")), want: ["a", "b", "c"] },
  { name: "one term does not", spec: required(field("In", "a"), label("disk", "Exists")), want: undefined },
])("narrows down the nodes when $name", ({ spec, want }) => {
  const names = nodeAffinity().preFilter(new CycleState(), podInfo(testPod("p", spec))).nodeNames;
  expect(names && [...names]).toEqual(want);
});

test("preferred terms add up, scaled to the best node", () => {
  const plain = testNodeInfo(testNode("b", { labels: { num: "1" } }));
  const preferred = [
    { weight: 30, preference: label("num", "Exists") },
    { weight: 20, preference: label("disk", "Exists") },
    { weight: 50, preference: {} },
  ];
  const spec = { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } } };
  expect(scoresOf(nodeAffinity(), testPod("p", spec), [node, plain])).toEqual([100, 60]);
  expect(scoresOf(nodeAffinity(), testPod("p"), [node, plain])).toBe("Skip");
});

const labelled = (disk: string) => testNode("n", { labels: { disk } });

test.each([
  ["a node comes that it asks for", labelled("ssd"), undefined, "Queue"],
  ["another node comes", labelled("hdd"), undefined, "Skip"],
  ["a node becomes one", labelled("ssd"), labelled("hdd"), "Queue"],
  ["a node is one still", labelled("ssd"), labelled("ssd"), "Skip"],
  ["a node is one no more", labelled("hdd"), labelled("ssd"), "Skip"],
])("worth another attempt: %s", (_name, now, old, want) => {
  const event = old === undefined ? { action: "add" as const } : { action: "updateLabel" as const, old };
  const pod = testPod("p", { nodeSelector: { disk: "ssd" } });
  expect(hintOf(nodeAffinity(), pod, { resource: "Node", node: now, ...event })).toBe(want);
});
