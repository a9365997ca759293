import { describe, expect, test } from "vitest";
import type { ClusterRoleBinding, RoleBinding } from "#api/generated/rbac/v1.ts";
import {
  setBindingDefaults,
  validateBindingUpdate,
  validateClusterRole,
  validateClusterRoleBinding,
  validateRole,
  validateRoleBinding,
} from "./validation.ts";

const fields = (errors: readonly { field: string }[]): string[] => errors.map(({ field }) => field);

describe("rules", () => {
  test.each([
    { name: "good", rule: { apiGroups: [""], resources: ["pods"], verbs: ["get"] }, want: [] },
    { name: "no verbs", rule: { apiGroups: [""], resources: ["pods"], verbs: [] }, want: ["rules[0].verbs"] },
    { name: "nothing but verbs", rule: { verbs: ["get"] }, want: ["rules[0].apiGroups", "rules[0].resources"] },
    { name: "a URL", rule: { nonResourceURLs: ["/x"], verbs: ["get"] }, want: ["rules[0].nonResourceURLs"] },
  ])("of a role: $name", ({ rule, want }) => {
    expect(fields(validateRole({ metadata: {}, rules: [rule] }))).toEqual(want);
  });

  test.each([
    { name: "a URL", rule: { nonResourceURLs: ["/x"], verbs: ["get"] }, want: [] },
    {
      name: "a URL and a resource",
      rule: { nonResourceURLs: ["/x"], resources: ["pods"], verbs: ["get"] },
      want: ["rules[0].nonResourceURLs"],
    },
  ])("of a cluster role: $name", ({ rule, want }) => {
    expect(fields(validateClusterRole({ metadata: {}, rules: [rule] }))).toEqual(want);
  });
});

describe("aggregation", () => {
  const bad = { matchExpressions: [{ key: "a", operator: "In", values: ["-"] }] };
  test("needs a selector", () => {
    expect(fields(validateClusterRole({ metadata: {}, aggregationRule: {} }))).toEqual(["aggregationRule.clusterRoleSelectors"]);
  });

  test("a bad value that was there before is told only as a selector that cannot work", () => {
    const role = { metadata: {}, aggregationRule: { clusterRoleSelectors: [bad] } };
    const path = "aggregationRule.clusterRoleSelectors[0]";
    expect(fields(validateClusterRole(role))).toEqual([`${path}.matchExpressions[0].values[0]`, path]);
    expect(fields(validateClusterRole(role, role))).toEqual([path]);
  });
});

describe("bindings", () => {
  const binding = (change: Partial<RoleBinding>): RoleBinding => ({
    metadata: {},
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
    ...change,
  });

  test("users and groups get RBAC's group, service accounts none", () => {
    const object = {
      metadata: {},
      roleRef: { kind: "Role", name: "r" },
      subjects: [
        { kind: "User", name: "u" },
        { kind: "ServiceAccount", name: "s" },
      ],
    };
    setBindingDefaults(object);
    expect(object).toMatchObject({
      roleRef: { apiGroup: "rbac.authorization.k8s.io" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io" }, { kind: "ServiceAccount", name: "s" }],
    });
    expect(object.subjects[1]).not.toHaveProperty("apiGroup");
  });

  test.each<{ name: string; change: Partial<RoleBinding>; want: string[]; cluster?: string[] }>([
    { name: "a good one", change: {}, want: [] },
    {
      name: "a Role",
      change: { roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" } },
      want: [],
      cluster: ["roleRef.kind"],
    },
    {
      name: "an empty reference",
      change: { roleRef: { kind: "", name: "" } },
      want: ["roleRef.apiGroup", "roleRef.kind", "roleRef.name"],
    },
    {
      name: "a service account without namespace",
      change: { subjects: [{ kind: "ServiceAccount", name: "s" }] },
      want: [],
      cluster: ["subjects[0].namespace"],
    },
    {
      name: "a nameless user",
      change: { subjects: [{ kind: "User", name: "" }] },
      want: ["subjects[0].name", "subjects[0].apiGroup"],
    },
    { name: "another kind", change: { subjects: [{ kind: "Robot", name: "r" }] }, want: ["subjects[0].kind"] },
  ])("$name", ({ change, want, cluster = want }) => {
    expect(fields(validateRoleBinding(binding(change)))).toEqual(want);
    expect(fields(validateClusterRoleBinding(binding(change) as ClusterRoleBinding))).toEqual(cluster);
  });

  test("what is bound cannot change", () => {
    const changed = binding({ roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "edit" } });
    expect(fields(validateBindingUpdate(changed, binding({})))).toEqual(["roleRef"]);
    expect(validateBindingUpdate(binding({}), binding({}))).toEqual([]);
  });
});
