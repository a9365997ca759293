import { expect, test } from "vitest";
import type { FlowSchema, PolicyRulesWithSubjects } from "#api/generated/flowcontrol/v1.ts";
import type { UserInfo } from "../request/request-info.ts";
import { resolveRequestInfo } from "../request/resolve-request-info.ts";
import { compareFlowSchemas, schemaMatcher } from "./flow-schema-match.ts";

const user = (name: string, ...groups: string[]): UserInfo => ({ name, uid: "", groups, extra: {} });
const PODS = { verbs: ["get", "list"], apiGroups: [""], resources: ["pods"], namespaces: ["a"] };
const ALICE = { kind: "User", user: { name: "alice" } };
const schema = (rule: PolicyRulesWithSubjects): FlowSchema => ({
  metadata: { name: "s" },
  spec: { priorityLevelConfiguration: { name: "l" }, rules: [rule] },
});

test.each<{ name: string; rule: PolicyRulesWithSubjects; as: UserInfo; method?: string; path: string; want: boolean }>([
  {
    name: "a user",
    rule: { subjects: [ALICE], resourceRules: [PODS] },
    as: user("alice"),
    path: "/api/v1/namespaces/a/pods",
    want: true,
  },
  {
    name: "another user",
    rule: { subjects: [ALICE], resourceRules: [PODS] },
    as: user("bob"),
    path: "/api/v1/namespaces/a/pods",
    want: false,
  },
  {
    name: "another namespace",
    rule: { subjects: [ALICE], resourceRules: [PODS] },
    as: user("alice"),
    path: "/api/v1/namespaces/b/pods",
    want: false,
  },
  {
    name: "another verb",
    rule: { subjects: [ALICE], resourceRules: [PODS] },
    as: user("alice"),
    method: "POST",
    path: "/api/v1/namespaces/a/pods",
    want: false,
  },
  {
    name: "a subresource",
    rule: { subjects: [ALICE], resourceRules: [PODS] },
    as: user("alice"),
    path: "/api/v1/namespaces/a/pods/x/log",
    want: false,
  },
  {
    name: "all namespaces without cluster scope",
    rule: { subjects: [ALICE], resourceRules: [{ ...PODS, namespaces: ["*"] }] },
    as: user("alice"),
    path: "/api/v1/pods",
    want: false,
  },
  {
    name: "all namespaces with cluster scope",
    rule: { subjects: [ALICE], resourceRules: [{ ...PODS, clusterScope: true }] },
    as: user("alice"),
    path: "/api/v1/pods",
    want: true,
  },
  {
    name: "a group",
    rule: { subjects: [{ kind: "Group", group: { name: "g" } }], resourceRules: [PODS] },
    as: user("x", "f", "g"),
    path: "/api/v1/namespaces/a/pods",
    want: true,
  },
  {
    name: "everybody",
    rule: { subjects: [{ kind: "Group", group: { name: "*" } }], resourceRules: [PODS] },
    as: user("x"),
    path: "/api/v1/namespaces/a/pods",
    want: true,
  },
  {
    name: "a service account",
    rule: { subjects: [{ kind: "ServiceAccount", serviceAccount: { namespace: "n", name: "s" } }], resourceRules: [PODS] },
    as: user("system:serviceaccount:n:s"),
    path: "/api/v1/namespaces/a/pods",
    want: true,
  },
  {
    name: "all service accounts of a namespace",
    rule: { subjects: [{ kind: "ServiceAccount", serviceAccount: { namespace: "n", name: "*" } }], resourceRules: [PODS] },
    as: user("system:serviceaccount:n:any"),
    path: "/api/v1/namespaces/a/pods",
    want: true,
  },
  {
    name: "those of a longer namespace",
    rule: { subjects: [{ kind: "ServiceAccount", serviceAccount: { namespace: "n", name: "*" } }], resourceRules: [PODS] },
    as: user("system:serviceaccount:nn:any"),
    path: "/api/v1/namespaces/a/pods",
    want: false,
  },
  {
    name: "a path",
    rule: { subjects: [ALICE], nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz"] }] },
    as: user("alice"),
    path: "/healthz",
    want: true,
  },
  {
    name: "below a path",
    rule: { subjects: [ALICE], nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz/*"] }] },
    as: user("alice"),
    path: "/healthz/ping",
    want: true,
  },
  {
    name: "a path that only begins so",
    rule: { subjects: [ALICE], nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["/health"] }] },
    as: user("alice"),
    path: "/healthz",
    want: false,
  },
  {
    name: "a star among others",
    rule: { subjects: [ALICE], resourceRules: [{ ...PODS, verbs: ["*", "get"] }] },
    as: user("alice"),
    method: "POST",
    path: "/api/v1/namespaces/a/pods",
    want: false,
  },
])("$name: $want", ({ rule, as, method = "GET", path, want }) => {
  expect(schemaMatcher(schema(rule)).matches(as, resolveRequestInfo(method, path, undefined))).toBe(want);
});

test("schemas are tried by precedence, then by name", () => {
  const of = (name: string, matchingPrecedence?: number): FlowSchema => ({
    metadata: { name },
    spec: { priorityLevelConfiguration: { name: "l" }, ...(matchingPrecedence === undefined ? {} : { matchingPrecedence }) },
  });
  const sorted = [of("c"), of("z", 1), of("a", 1000), of("b", 5000)].sort(compareFlowSchemas);
  expect(sorted.map(({ metadata }) => metadata.name)).toEqual(["z", "a", "c", "b"]);
});
