import { expect, test } from "vitest";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { readAuthenticationConfiguration } from "./authentication-configuration.ts";

const HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n";
const JWT = `jwt:
- issuer: { url: https://issuer, audiences: [kybern] }
  claimMappings:
    username: { claim: sub, prefix: "p:" }
`;
const cel = await loadKubernetesCel();
const read = (text: string): unknown => {
  try {
    return readAuthenticationConfiguration(HEAD + text, "f", ["https://own"], cel);
  } catch (error) {
    return (error as Error).message;
  }
};

test("a provider and open paths", () => {
  expect(read(`${JWT}anonymous: { enabled: true, conditions: [{ path: /livez }] }\n`)).toEqual({
    jwt: [
      {
        issuer: { url: "https://issuer", audiences: ["kybern"] },
        claimValidationRules: [],
        claimMappings: { username: { claim: "sub", prefix: "p:" } },
      },
    ],
    anonymous: { enabled: true, paths: ["/livez"] },
  });
});

test.each([
  { name: "an unknown field", text: "jwt: [{ issuers: {} }]", want: 'f: strict decoding error: unknown field "jwt[0].issuers"' },
  {
    name: "a wrong type",
    text: "anonymous: { enabled: maybe }",
    want: "f: strict decoding error: anonymous.enabled must be true or false",
  },
  {
    name: "plain HTTP",
    text: JWT.replace("https", "http"),
    want: 'f: jwt[0].issuer.url: Invalid value: "http://issuer": URL scheme must be https',
  },
  {
    name: "the cluster's own issuer",
    text: JWT.replace("https://issuer", "https://own"),
    want: 'f: jwt[0].issuer.url: Invalid value: "https://own": URL must not overlap with disallowed issuers: [https://own]',
  },
  {
    name: "no audience",
    text: JWT.replace("[kybern]", "[]"),
    want: "f: jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required",
  },
  {
    name: "no prefix",
    text: JWT.replace(', prefix: "p:"', ""),
    want: "f: jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing",
  },
  {
    name: "conditions of what is off",
    text: "anonymous: { enabled: false, conditions: [{ path: /a }] }",
    want: 'f: anonymous.conditions: Invalid value: [{"path":"/a"}]: enabled should be set to true when conditions are defined',
  },
  {
    name: "an expression that is none",
    text: JWT.replace('claim: sub, prefix: "p:"', "expression: claims.sub +"),
    want: expect.stringContaining(
      'f: jwt[0].claimMappings.username.expression: Invalid value: "claims.sub +": compilation failed: ',
    ),
  },
  {
    name: "an address that nobody checked",
    text: JWT.replace('claim: sub, prefix: "p:"', "expression: claims.email"),
    want: expect.stringContaining("claims.email_verified must be used in claimMappings.username.expression"),
  },
  {
    name: "a rule that is no condition",
    text: `${JWT}  userValidationRules: [{ expression: user.username }]\n`,
    want: 'f: jwt[0].userValidationRules[0].expression: Invalid value: "user.username": must evaluate to bool but got string',
  },
  {
    name: "a key of Kubernetes' own",
    text: JWT.replace(
      "claimMappings:",
      "claimMappings:\n    extra: [{ key: authentication.k8s.io/a, valueExpression: claims.a }]",
    ),
    want: 'f: jwt[0].claimMappings.extra[0].key: Invalid value: "authentication.k8s.io/a": k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use',
  },
])("$name is refused", ({ text, want }) => {
  expect(read(text)).toEqual(want);
});
