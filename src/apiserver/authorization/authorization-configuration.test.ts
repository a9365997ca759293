import { expect, test } from "vitest";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { readAuthorizationConfiguration } from "./authorization-configuration.ts";

const HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\nauthorizers:\n";
const NODE = "- { type: Node, name: node }\n";
const HOOK = `- type: Webhook
  name: hook
  webhook:
    timeout: 3s
    authorizedTTL: 10s
    cacheUnauthorizedRequests: false
    subjectAccessReviewVersion: v1
    failurePolicy: Deny
    connectionInfo: { type: KubeConfigFile, kubeConfigFile: /etc/hook }
`;
const cel = await loadKubernetesCel();
const read = (text: string): unknown => {
  try {
    return readAuthorizationConfiguration(HEAD + text, "f", cel);
  } catch (error) {
    return (error as Error).message;
  }
};

test("the order is that of the file", () => {
  expect(read(HOOK + NODE)).toEqual([
    {
      type: "Webhook",
      name: "hook",
      webhook: {
        kubeConfigFile: "/etc/hook",
        version: "v1",
        authorizedTtlMs: 10_000,
        unauthorizedTtlMs: 0,
        timeoutMs: 3000,
        failurePolicy: "Deny",
        conditions: [],
      },
    },
    { type: "Node" },
  ]);
});

test.each([
  { name: "none", text: " []", want: "f: authorizers: Required value: at least one authorization mode must be defined" },
  { name: "one twice", text: `${NODE}- { type: Node, name: other }`, want: 'f: authorizers[1].type: Duplicate value: "Node"' },
  { name: "no name", text: "- { type: RBAC }", want: "f: authorizers[0].name: Required value" },
  {
    name: "one that nobody knows",
    text: "- { type: Magic, name: m }",
    want: 'f: authorizers[0].type: Unsupported value: "Magic": supported values: "ABAC", "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"',
  },
  {
    name: "a webhook without address",
    text: "- { type: Webhook, name: w }",
    want: "f: authorizers[0].webhook: Required value: required when type=Webhook",
  },
  {
    name: "a long timeout",
    text: HOOK.replace("3s", "31s"),
    want: 'f: authorizers[0].timeout: Invalid value: "31s": must be > 0s and <= 30s',
  },
  {
    name: "a condition that is none",
    text: `${HOOK}    matchConditionSubjectAccessReviewVersion: v1\n    matchConditions: [{ expression: "request.user" }]\n`,
    want: 'f: authorizers[0].matchConditions[0].expression: Invalid value: "request.user": must evaluate to bool but got string',
  },
  {
    name: "a condition without version",
    text: `${HOOK}    matchConditions: [{ expression: "true" }]\n`,
    want: "f: authorizers[0].matchConditionSubjectAccessReviewVersion: Required value: required if match conditions are specified",
  },
])("$name is refused", ({ text, want }) => {
  expect(read(text)).toBe(want);
});
