import { YAMLException } from "js-yaml";
import { loadedKubernetesCel, loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { readAuditPolicy } from "#apiserver/audit/policy.ts";
import { readAuthenticationConfiguration } from "#apiserver/authentication/authentication-configuration.ts";
import { readAuthorizationConfiguration } from "#apiserver/authorization/authorization-configuration.ts";
import { ConfigurationError } from "#apiserver/configuration-file.ts";
import { parseKubeconfig } from "#client/kubeconfig.ts";
import { type FuzzTarget, refusing } from "../target.ts";

const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: k, user: u, namespace: n}}]
clusters: [{name: k, cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: YQ==}}]
users: [{name: u, user: {token: t, client-certificate: /a, client-key-data: Yg==, tokenFile: f}}]
`;

/** Files that an administrator writes: they are refused with a reason. */
export const target: FuzzTarget = {
  prepare: async () => {
    await loadKubernetesCel();
  },
  seeds: [
    KUBECONFIG,
    `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, users: [a], verbs: [get], resources: [{group: "", resources: [pods, "pods/*"], resourceNames: [x]}]}
- {level: None, nonResourceURLs: ["/healthz*", "*"], namespaces: [a], omitManagedFields: true}
`,
    `apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
anonymous: {enabled: true, conditions: [{path: /livez}]}
jwt:
- issuer: {url: "https://a.b", audiences: [x], audienceMatchPolicy: MatchAny}
  claimValidationRules: [{expression: "claims.exp > 1", message: m}]
  claimMappings: {username: {claim: sub, prefix: "a:"}, groups: {expression: "claims.groups"}, extra: [{key: a.b/c, valueExpression: "claims.x"}]}
  userValidationRules: [{expression: "!user.username.startsWith('system:')"}]
`,
    `apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
- {type: Webhook, name: w, webhook: {authorizedTTL: 30s, unauthorizedTTL: 1m, timeout: 3s, subjectAccessReviewVersion: v1, matchConditionSubjectAccessReviewVersion: v1, failurePolicy: Deny, connectionInfo: {type: KubeConfigFile, kubeConfigFile: /x}, matchConditions: [{expression: "request.user == 'a'"}]}}
- {type: Node, name: n}
- {type: RBAC, name: r}
`,
  ],
  run: (bytes) => {
    const text = bytes.toString("utf8");
    const cel = loadedKubernetesCel();
    refusing([ConfigurationError], () => readAuditPolicy(text, "f"));
    refusing([ConfigurationError], () => readAuthenticationConfiguration(text, "f", [], cel));
    refusing([ConfigurationError], () => readAuthorizationConfiguration(text, "f", cel));
    refusing([Error, YAMLException], () => parseKubeconfig(text, (path) => path));
  },
};
