import { expect, test } from "vitest";
import type { ClusterRole, PolicyRule } from "#api/generated/rbac/v1.ts";
import { isPartOf, reconcile } from "./reconcile.ts";

const get: PolicyRule = { apiGroups: [""], resources: ["pods"], verbs: ["get"] };
const list: PolicyRule = { apiGroups: [""], resources: ["pods"], verbs: ["list"] };
const part = (name: string, rules: readonly PolicyRule[], labels: Record<string, string> = { agg: "yes" }): ClusterRole => ({
  metadata: { name, labels },
  rules,
});
const whole = (rules?: readonly PolicyRule[]): ClusterRole => ({
  metadata: { name: "m", labels: { agg: "yes" } },
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { agg: "yes" } }] },
  ...(rules === undefined ? {} : { rules }),
});

test.each([
  {
    name: "by name, each once, without its own",
    role: whole([list]),
    parts: [part("z", [get, list]), part("a", [list])],
    want: [list, get],
  },
  { name: "nothing when nothing matches any more", role: whole([get]), parts: [part("a", [get], {})], want: [] },
  { name: "what is right is left alone", role: whole([get]), parts: [part("a", [get])], want: undefined },
  { name: "none is as good as empty", role: whole(), parts: [], want: undefined },
  { name: "a role that does not aggregate is left alone", role: part("m", [get]), parts: [part("a", [list])], want: undefined },
])("$name", ({ role, parts, want }) => {
  expect(reconcile({ role, all: [role, ...parts] })[0]?.rules).toEqual(want);
});

test.each([
  ["that is labelled so", part("a", [], { agg: "yes", app: "x" }), true],
  ["with another value", part("a", [], { agg: "no" }), false],
  ["without labels", { metadata: { name: "a" } }, false],
])("a role %s is part of another or not", (_name, role, want) => {
  expect(isPartOf(role, whole())).toBe(want);
});
