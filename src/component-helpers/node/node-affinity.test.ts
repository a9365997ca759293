import { expect, test } from "vitest";
import type { Node, NodeSelectorTerm, Pod } from "#api/generated/core/v1.ts";
import { matchesNodeSelectorAndAffinity, matchesNodeSelectorTerm } from "./node-affinity.ts";

const node: Node = { metadata: { name: "a", labels: { zone: "z1", cores: "8", ram: "+16" } }, spec: {} };
const requirement = (key: string, operator: string, ...values: string[]): NodeSelectorTerm => ({
  matchExpressions: [{ key, operator, values }],
});

test.each<[string, NodeSelectorTerm, boolean]>([
  ["In", requirement("zone", "In", "z0", "z1"), true],
  ["In without the label", requirement("rack", "In", "r"), false],
  ["NotIn", requirement("zone", "NotIn", "z1"), false],
  ["NotIn without the label", requirement("rack", "NotIn", "r"), true],
  ["Exists", requirement("zone", "Exists"), true],
  ["DoesNotExist", requirement("zone", "DoesNotExist"), false],
  ["Gt", requirement("cores", "Gt", "7"), true],
  ["Gt counts, and does not compare texts", requirement("cores", "Gt", "10"), false],
  ["Lt with a sign", requirement("ram", "Lt", "17"), true],
  ["Lt of what is no number", requirement("zone", "Lt", "9"), false],
  ["an unknown operator", requirement("zone", "Like", "z1"), false],
  ["the name as a field", { matchFields: [{ key: "metadata.name", operator: "In", values: ["a"] }] }, true],
  ["another field", { matchFields: [{ key: "spec.unschedulable", operator: "In", values: ["false"] }] }, false],
  ["nothing required matches nothing", {}, false],
])("a term: %s", (_, term, want) => {
  expect(matchesNodeSelectorTerm(term, node)).toBe(want);
});

test.each<{ name: string; spec: Partial<Pod["spec"]>; want: boolean }>([
  { name: "nothing asked", spec: {}, want: true },
  { name: "nodeSelector", spec: { nodeSelector: { zone: "z1" } }, want: true },
  { name: "nodeSelector that does not fit", spec: { nodeSelector: { zone: "z2" } }, want: false },
  { name: "one of two terms", spec: affinity(requirement("zone", "In", "z2"), requirement("zone", "In", "z1")), want: true },
  { name: "no terms at all", spec: affinity(), want: false },
  { name: "both must hold", spec: { nodeSelector: { zone: "z2" }, ...affinity(requirement("zone", "Exists")) }, want: false },
])("$name", ({ spec, want }) => {
  expect(matchesNodeSelectorAndAffinity({ metadata: { name: "p" }, spec: { containers: [], ...spec } }, node)).toBe(want);
});

function affinity(...nodeSelectorTerms: NodeSelectorTerm[]): Partial<Pod["spec"]> {
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } };
}
