import { expect, test } from "vitest";
import type { AuthorizationAttributes } from "../authorization/authorizer.ts";
import { ConfigurationError } from "../configuration-file.ts";
import { readAuditPolicy } from "./policy.ts";

const HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n";

/** `what`: a path, or `group/resource[/subresource][:name]`. */
function asked(what: string, user = "jane", groups = ["dev"], verb = "get", namespace = "ns"): AuthorizationAttributes {
  const [target = "", name = ""] = what.split(":");
  const isResourceRequest = !what.startsWith("//");
  const [apiGroup = "", resource = "", subresource = ""] = target.split("/");
  return {
    user: { name: user, uid: "", groups, extra: {} },
    verb,
    isResourceRequest,
    namespace: isResourceRequest ? namespace : "",
    apiGroup,
    apiVersion: "v1",
    resource,
    subresource,
    name,
    path: isResourceRequest ? "" : what.slice(1),
  };
}

test.each<[string, string, AuthorizationAttributes, string]>([
  ["no rule", "users: [joe]", asked("/pods"), "None"],
  ["a user", "users: [jane]", asked("/pods"), "Request"],
  ["a group", "userGroups: [dev, ops]", asked("/pods"), "Request"],
  ["a verb", "verbs: [list]", asked("/pods"), "None"],
  ["a namespace", "namespaces: [ns]", asked("/pods"), "Request"],
  ["a namespace and no resource", "namespaces: [ns]", asked("//healthz"), "None"],
  ["a resource", "resources: [{ resources: [pods] }]", asked("/pods"), "Request"],
  ["not its subresources", "resources: [{ resources: [pods] }]", asked("/pods/log"), "None"],
  ["all of its subresources", "resources: [{ resources: ['pods/*'] }]", asked("/pods/log"), "Request"],
  ["a subresource of anything", "resources: [{ resources: ['*/log'] }]", asked("/pods/log"), "Request"],
  ["a whole group", "resources: [{ group: apps }]", asked("apps/deployments"), "Request"],
  ["another group", "resources: [{ group: apps }]", asked("/pods"), "None"],
  ["a name", "resources: [{ resources: [pods], resourceNames: [a] }]", asked("/pods:a"), "Request"],
  ["another name", "resources: [{ resources: [pods], resourceNames: [a] }]", asked("/pods:b"), "None"],
  ["a path", "nonResourceURLs: ['/healthz*']", asked("//healthz/ping"), "Request"],
  ["a path is no resource", "nonResourceURLs: ['*']", asked("/pods"), "None"],
])("%s", (_name, rule, attributes, want) => {
  expect(readAuditPolicy(`${HEAD}rules: [{ level: Request, ${rule} }]`, "f")(attributes).level).toBe(want);
});

test("the first rule counts, and stages are left out for both of their reasons", () => {
  const policy = readAuditPolicy(
    `${HEAD}omitStages: [RequestReceived]\nomitManagedFields: true\nrules: [{ level: Metadata, omitStages: [Panic], omitManagedFields: false }, { level: None }]`,
    "f",
  );
  expect(policy(asked("/pods"))).toEqual({
    level: "Metadata",
    omitStages: ["RequestReceived", "Panic"],
    omitManagedFields: false,
  });
});

test("nulls say nothing", () => {
  const policy = readAuditPolicy(
    `${HEAD}rules: [{ level: Metadata, users: null, resources: [null], omitStages: null }]\nomitStages: null`,
    "f",
  );
  expect(policy(asked("/pods"))).toMatchObject({ level: "Metadata" });
});

test.each([
  ["rules: []", "f: loaded illegal policy with 0 rules"],
  ["rules: [{}]", "f: rules[0].level: Required value"],
  [
    "rules: [{ level: All }]",
    'f: rules[0].level: Unsupported value: "All": supported values: "None", "Metadata", "Request", "RequestResponse"',
  ],
  [
    "rules: [{ level: None, nonResourceURLs: [a] }]",
    "f: rules[0].nonResourceURLs[0]: Invalid value: \"a\": non-resource URL rules must begin with a '/' character",
  ],
  [
    "rules: [{ level: None, resources: [{ resourceNames: [a] }] }]",
    'f: rules[0].resources.resourceNames: Invalid value: ["a"]: using resourceNames requires at least one resource',
  ],
  ["rules: [{ level: None, stages: [] }]", 'f: strict decoding error: unknown field "rules[0].stages"'],
])("%s is refused", (text, want) => {
  expect(() => readAuditPolicy(HEAD + text, "f")).toThrow(new ConfigurationError(want));
});
