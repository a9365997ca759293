import { expect, test } from "vitest";
import { type RuleSubject, ruleMatches } from "./rule-match.ts";

const POD: RuleSubject = { operation: "CREATE", group: "", version: "v1", resource: "pods", subresource: "", namespace: "a" };
const PODS = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] };

test.each([
  { name: "what it names", rule: PODS, subject: {}, want: true },
  { name: "another operation", rule: PODS, subject: { operation: "DELETE" }, want: false },
  { name: "every operation", rule: { ...PODS, operations: ["*"] }, subject: { operation: "CONNECT" }, want: true },
  { name: "another group", rule: PODS, subject: { group: "apps" }, want: false },
  { name: "another version", rule: PODS, subject: { version: "v2" }, want: false },
  { name: "a subresource that it does not name", rule: PODS, subject: { subresource: "status" }, want: false },
  { name: "all subresources", rule: { ...PODS, resources: ["pods/*"] }, subject: { subresource: "status" }, want: true },
  { name: "the resource itself by all subresources", rule: { ...PODS, resources: ["pods/*"] }, subject: {}, want: true },
  {
    name: "a subresource of every resource",
    rule: { ...PODS, resources: ["*/scale"] },
    subject: { subresource: "scale" },
    want: true,
  },
  {
    name: "resources by a star, but no subresources",
    rule: { ...PODS, resources: ["*"] },
    subject: { subresource: "scale" },
    want: false,
  },
  { name: "everything", rule: { ...PODS, resources: ["*/*"] }, subject: { subresource: "scale" }, want: true },
  { name: "namespaced ones", rule: { ...PODS, scope: "Namespaced" }, subject: {}, want: true },
  { name: "those of the cluster", rule: { ...PODS, scope: "Cluster" }, subject: {}, want: false },
  {
    name: "a namespace among those of the cluster",
    rule: { ...PODS, resources: ["namespaces"], scope: "Cluster" },
    subject: { resource: "namespaces" },
    want: true,
  },
])("$name: $want", ({ rule, subject, want }) => {
  expect(ruleMatches(rule, { ...POD, ...subject })).toBe(want);
});
