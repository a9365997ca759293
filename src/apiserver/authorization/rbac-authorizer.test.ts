import { describe, expect, test } from "vitest";
import type { AuthorizationAttributes } from "./authorizer.ts";
import { compactRules, formatRule, type PolicyRule, ruleAllows, uncoveredRules } from "./policy-rule.ts";
import { RbacAuthorizer } from "./rbac-authorizer.ts";

const user = { name: "jane", uid: "", groups: ["dev", "system:authenticated"], extra: {} };

function asked(verb: string, target: string, namespace = "", apiGroup = ""): AuthorizationAttributes {
  const [resource = "", name = ""] = target.split(":");
  const [plain = "", subresource = ""] = resource.split("/");
  const isResourceRequest = !target.startsWith("/");
  return {
    user,
    verb,
    isResourceRequest,
    namespace,
    apiGroup,
    apiVersion: "v1",
    resource: plain,
    subresource,
    name,
    path: isResourceRequest ? "" : target,
  };
}

const rule = (apiGroups: string, resources: string, verbs: string, resourceNames = ""): PolicyRule => ({
  apiGroups: apiGroups.split(","),
  resources: resources.split(","),
  verbs: verbs.split(","),
  resourceNames: resourceNames === "" ? [] : resourceNames.split(","),
});

describe("ruleAllows", () => {
  test.each([
    ["a plain right", rule("", "pods", "get"), asked("get", "pods:a"), true],
    ["another verb", rule("", "pods", "get"), asked("list", "pods"), false],
    ["another group", rule("apps", "pods", "get"), asked("get", "pods:a"), false],
    ["a subresource needs its own right", rule("", "pods", "get"), asked("get", "pods/log:a"), false],
    ["a subresource of anything", rule("", "*/log", "get"), asked("get", "pods/log:a"), true],
    ["everything", rule("*", "*", "*"), asked("get", "pods/log:a", "n", "apps"), true],
    ["a named object", rule("", "pods", "get", "a"), asked("get", "pods:a"), true],
    ["an object of another name", rule("", "pods", "get", "b"), asked("get", "pods:a"), false],
    ["a path", { nonResourceURLs: ["/api"], verbs: ["get"] }, asked("get", "/api"), true],
    ["a path below", { nonResourceURLs: ["/api/*"], verbs: ["get"] }, asked("get", "/api/v1"), true],
    ["a path beside", { nonResourceURLs: ["/api/*"], verbs: ["get"] }, asked("get", "/apis"), false],
  ])("%s", (_name, given, attributes, want) => {
    expect(ruleAllows(given, attributes)).toBe(want);
  });
});

test("what a user would grant without having it is told right by right", () => {
  const missing = uncoveredRules([rule("", "configmaps", "get")], [rule("", "configmaps,secrets", "get,list")]);
  expect(compactRules(missing).map(formatRule)).toEqual([
    '{APIGroups:[""], Resources:["configmaps"], Verbs:["list"]}',
    '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
  ]);
});

describe("RbacAuthorizer", () => {
  const authorizer = new RbacAuthorizer({
    version: () => 1,
    clusterRoleBindings: () => [
      {
        metadata: { name: "devs" },
        roleRef: { kind: "ClusterRole", name: "reader" },
        subjects: [{ kind: "Group", name: "dev" }],
      },
    ],
    roleBindings: () => [
      {
        metadata: { name: "b", namespace: "n" },
        roleRef: { kind: "Role", name: "none" },
        subjects: [{ kind: "User", name: "jane" }],
      },
    ],
    rules: (_namespace, name) => (name === "reader" ? [rule("", "pods", "get")] : undefined),
  });
  test.each([
    [
      "a group's binding allows everywhere",
      asked("get", "pods:a", "n"),
      { decision: "allow", reason: 'RBAC: allowed by ClusterRoleBinding "devs" of ClusterRole "reader" to Group "dev"' },
    ],
    [
      "a role that is not there is told",
      asked("list", "pods", "n"),
      { decision: "no-opinion", reason: 'RBAC: role.rbac.authorization.k8s.io "none" not found' },
    ],
    ["no binding, no opinion", asked("list", "pods", "m"), { decision: "no-opinion", reason: "" }],
  ])("%s", (_name, attributes, want) => {
    expect(authorizer.authorize(attributes)).toEqual(want);
  });
});
