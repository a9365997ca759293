import { describe, expect, test } from "vitest";
import { AbacAuthorizer } from "./abac-authorizer.ts";
import type { AuthorizationAttributes } from "./authorizer.ts";

const policy = (spec: object): string =>
  JSON.stringify({ apiVersion: "abac.authorization.kubernetes.io/v1beta1", kind: "Policy", spec });
// The examples of upstream's documentation are among them.
const FILE = `# who may do what

${policy({ user: "alice", namespace: "*", resource: "*", apiGroup: "*" })}
${policy({ user: "kubelet", namespace: "*", resource: "pods", readonly: true })}
${policy({ user: "bob", namespace: "projectCaribou", resource: "pods", readonly: true })}
${policy({ group: "system:authenticated", readonly: true, nonResourcePath: "*" })}
${policy({ user: "carl", group: "ops", nonResourcePath: "/logs/*" })}
${policy({ group: "*", namespace: "public", resource: "configmaps" })}
{"user":"old","namespace":"n"}
{"user":"older"}
{"resource":"events","readonly":true}
`;
const abac = new AbacAuthorizer(FILE, "policy.jsonl");

const asks = (user: string, verb: string, what: string, ...groups: string[]): AuthorizationAttributes => {
  const isResourceRequest = !what.startsWith("/");
  const [namespace = "", resource = "", apiGroup = ""] = isResourceRequest ? what.split("/") : [];
  return {
    user: { name: user, uid: "", groups, extra: {} },
    ...{ verb, isResourceRequest, namespace, resource, apiGroup },
    ...{ apiVersion: "v1", subresource: "", name: "", path: isResourceRequest ? "" : what },
  };
};
const IN = "system:authenticated";

test.each<[AuthorizationAttributes, boolean]>([
  [asks("alice", "delete", "ns/deployments/apps"), true],
  [asks("alice", "get", "/healthz"), false],
  [asks("kubelet", "list", "ns/pods"), true],
  [asks("kubelet", "create", "ns/pods"), false],
  [asks("kubelet", "get", "ns/pods/other"), false],
  [asks("bob", "watch", "projectCaribou/pods"), true],
  [asks("bob", "watch", "ns/pods"), false],
  [asks("dora", "get", "/version", IN), true],
  [asks("dora", "post", "/version", IN), false],
  [asks("dora", "get", "/version"), false],
  [asks("carl", "post", "/logs/a", "ops"), true],
  [asks("carl", "post", "/logs/a"), false],
  [asks("carl", "post", "/log", "ops"), false],
  [asks("dora", "update", "public/configmaps", IN), true],
  [asks("system:anonymous", "update", "public/configmaps", "system:unauthenticated"), false],
  [asks("old", "update", "n/anything/apps"), true],
  [asks("old", "get", "/x"), false],
  [asks("older", "update", "x/anything/apps"), true],
  [asks("older", "post", "/x"), true],
  [asks("dora", "list", "x/events", IN), true],
  [asks("dora", "create", "x/events", IN), false],
])("%j", (asked, want) => {
  const allowed = { decision: "allow", reason: "" };
  expect(abac.authorize(asked)).toEqual(want ? allowed : { decision: "no-opinion", reason: "No policy matched." });
});

test("what a user may do in a namespace is told as rules", () => {
  const bob = { name: "bob", uid: "", groups: [], extra: {} };
  expect(abac.rulesFor(bob, "projectCaribou")).toEqual([
    { verbs: ["get", "list", "watch"], apiGroups: [""], resources: ["pods"] },
  ]);
  expect(abac.rulesFor(bob, "other")).toEqual([]);
  expect(abac.rulesFor({ ...bob, name: "older" }, "other")).toEqual([
    { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
    { verbs: ["*"], nonResourceURLs: ["*"] },
  ]);
});

describe("a line that cannot be understood", () => {
  test.each([
    ["{", /^error reading policy file p, line 2: \{: /],
    ['{"kind":"Pod","apiVersion":"v1"}', /no kind "Pod" is registered for "v1"$/],
    [policy({ user: 5 }), /user is a text$/],
    ['{"readonly":"yes"}', /readonly is true or false$/],
    ["[]", /a policy is an object$/],
  ])("%s", (line, message) => {
    expect(() => new AbacAuthorizer(`# first\n${line}\n`, "p")).toThrow(message);
  });
});
