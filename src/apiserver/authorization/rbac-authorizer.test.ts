import { describe, expect, test } from "vitest";
import { OrderedTree } from "#storage/memory/ordered-tree.ts";
import type { AuthorizationAttributes } from "./authorizer.ts";
import { compactRules, formatRule, type PolicyRule, ruleAllows, uncoveredRules } from "./policy-rule.ts";
import { RbacAuthorizer } from "./rbac-authorizer.ts";
import type { RbacBinding, RbacSource } from "./rbac-source.ts";

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

/** Bindings as a source tells of them: whichever is another object than before has changed. */
function followed(bindings: () => readonly RbacBinding[]): RbacSource["followBindings"] {
  return () => {
    let seen = new OrderedTree<RbacBinding>();
    return () => {
      let now = new OrderedTree<RbacBinding>();
      for (const binding of bindings()) {
        now = now.with(`${binding.metadata.namespace ?? ""}/${binding.metadata.name}`, binding);
      }
      const changes = now.changesSince(seen);
      seen = now;
      return changes.map(({ key, value }) => ({ place: key, binding: value }));
    };
  };
}

describe("RbacAuthorizer", () => {
  const authorizer = new RbacAuthorizer({
    followBindings: followed(() => [
      {
        metadata: { name: "devs" },
        roleRef: { kind: "ClusterRole", name: "reader" },
        subjects: [{ kind: "Group", name: "dev" }],
      },
      {
        metadata: { name: "b", namespace: "n" },
        roleRef: { kind: "Role", name: "none" },
        subjects: [{ kind: "User", name: "jane" }],
      },
    ]),
    rulesVersion: () => 1,
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

describe("what was answered is remembered", () => {
  const rules = new Map<string, PolicyRule[]>([
    ["named", [rule("", "pods", "get", "a,b")]],
    ["all", [rule("", "pods", "get")]],
    ["paths", [{ nonResourceURLs: ["/x", "/y/*"], verbs: ["get"] }]],
  ]);
  const bind = (name: string, role: string): RbacBinding => ({
    metadata: { name },
    roleRef: { kind: "ClusterRole", name: role },
    subjects: [{ kind: "User", name: "jane" }],
  });
  let bindings = [bind("1", "named"), bind("2", "all"), bind("3", "paths")];
  let version = 1;
  const authorizer = new RbacAuthorizer({
    followBindings: followed(() => bindings),
    rulesVersion: () => version,
    rules: (_namespace, name) => rules.get(name),
  });
  const by = (attributes: AuthorizationAttributes): string | undefined =>
    /ClusterRoleBinding "(\d)"/.exec((authorizer.authorize(attributes) as { reason: string }).reason)?.[1];

  test("for each name, path, verb and user by itself", () => {
    for (const _again of [1, 2]) {
      expect(["a", "b", "c", ""].map((name) => by(asked("get", `pods:${name}`, "n")))).toEqual(["1", "1", "2", "2"]);
      expect(["/x", "/y/z", "/z"].map((path) => by(asked("get", path)))).toEqual(["3", "3", undefined]);
      expect(by(asked("list", "pods", "n"))).toBeUndefined();
      expect(by({ ...asked("get", "pods:a", "n"), user: { ...user, name: "joe" } })).toBeUndefined();
    }
  });

  test("until something changes", () => {
    bindings = [bind("4", "named")];
    version++;
    expect(["a", "c"].map((name) => by(asked("get", `pods:${name}`, "n")))).toEqual(["4", undefined]);
  });

  test("for no other question that reads the same when its parts are put together", () => {
    const odd = (name: string, groups: string[], namespace: string): string | undefined =>
      by({ ...asked("get", "pods:a", namespace), user: { ...user, name, groups } });
    expect(odd("jane", ["g"], "n")).toBe("4");
    for (const [name, groups, namespace] of [
      ["jane1:g", [], "n"],
      ["", ["jane"], "n"],
      ["4:jane", ["g"], ""],
    ] as const) {
      expect(odd(name, [...groups], namespace)).toBeUndefined();
    }
  });
});
