import { expect, test } from "vitest";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { type ClaimsText, readClaims } from "./claims-configuration.ts";
import { userOfClaims } from "./claims-user.ts";
import { configurationOfFlags, type JwtConfiguration, type OidcFlags } from "./jwt-configuration.ts";

const FLAGS: OidcFlags = {
  issuerUrl: "https://issuer",
  clientId: "kybern",
  usernameClaim: "sub",
  usernamePrefix: "",
  groupsClaim: "groups",
  groupsPrefix: "oidc:",
  requiredClaims: [],
};

function told(flags: Partial<OidcFlags>, claims: Record<string, unknown>): string {
  try {
    const { name, groups } = userOfClaims(claims, configurationOfFlags({ ...FLAGS, ...flags }));
    return [name, ...groups].join(" ");
  } catch (error) {
    return (error as Error).message;
  }
}

test.each<[string, Partial<OidcFlags>, Record<string, unknown>, string]>([
  ["the issuer is put before names", {}, { sub: "jane", groups: ["a", "b"] }, "https://issuer#jane oidc:a oidc:b"],
  ["one group may be a text", {}, { sub: "jane", groups: "a" }, "https://issuer#jane oidc:a"],
  ["nothing before addresses", { usernameClaim: "email" }, { email: "j@x" }, "j@x"],
  ["a prefix of one's own", { usernamePrefix: "p:" }, { sub: "jane" }, "p:jane"],
  ["none at all", { usernamePrefix: "-" }, { sub: "jane" }, "jane"],
  [
    "an address that was not checked",
    { usernameClaim: "email" },
    { email: "j@x", email_verified: false },
    "oidc: email not verified",
  ],
  ["no name", {}, {}, 'oidc: parse username claims "sub": claim not present'],
  [
    "groups of another type",
    {},
    { sub: "j", groups: [1] },
    'oidc: parse groups claim "groups": neither a string nor a list of strings',
  ],
  ["a required claim", { requiredClaims: ["hd=x"], usernamePrefix: "-" }, { sub: "j", hd: "x" }, "j"],
  [
    "a required claim of another value",
    { requiredClaims: ["hd=x"] },
    { sub: "j", hd: "y" },
    "oidc: required claim hd value does not match. Got = y, want = x",
  ],
  [
    "a required claim that is absent",
    { requiredClaims: ["hd=x"] },
    { sub: "j" },
    "oidc: required claim hd not present in ID token",
  ],
  ["plain HTTP", { issuerUrl: "http://issuer" }, {}, "oidc-issuer-url: URL scheme must be https"],
])("%s", (_name, flags, claims, want) => {
  expect(told(flags, claims)).toBe(want);
});

const cel = await loadKubernetesCel();
const EXPRESSIONS: ClaimsText = {
  claimMappings: {
    username: { expression: "'oidc:' + claims.sub" },
    groups: { expression: "claims.roles.filter(r, r != 'none')" },
    uid: { expression: "claims.?oid.orValue('')" },
    extra: [{ key: "example.com/team", valueExpression: "claims.team" }],
  },
  claimValidationRules: [{ expression: "claims.exp - claims.iat <= 3600", message: "too long" }],
  userValidationRules: [{ expression: "!user.username.startsWith('oidc:root')", message: "not for root" }],
};
const CLAIMS = { sub: "jane", roles: ["a", "none", ""], oid: "7", team: "red", iat: 0, exp: 60 };

test.each<[string, object, unknown]>([
  ["expressions make the user", {}, { name: "oidc:jane", uid: "7", groups: ["a"], extra: { "example.com/team": ["red"] } }],
  [
    "a rule about claims",
    { exp: 3601 },
    "oidc: error evaluating claim validation expression: validation expression 'claims.exp - claims.iat <= 3600' failed: too long",
  ],
  [
    "a rule about the user",
    { sub: "root" },
    "oidc: error evaluating user info validation rule: validation expression '!user.username.startsWith('oidc:root')' failed: not for root",
  ],
  [
    "groups that are none",
    { roles: [1] },
    "oidc: error evaluating group claim expression: expression must return a string or a list of strings",
  ],
])("%s", (_name, changes, want) => {
  const { rules, mappings, userRules, errors } = readClaims(EXPRESSIONS, FieldPath.of("jwt"), cel);
  expect(errors).toEqual([]);
  const configuration = {
    issuer: { url: "https://issuer", audiences: [] },
    claimValidationRules: rules,
    claimMappings: mappings as JwtConfiguration["claimMappings"],
    userValidationRules: userRules,
  };
  let told: unknown;
  try {
    told = userOfClaims({ ...CLAIMS, ...changes }, configuration);
  } catch (error) {
    told = (error as Error).message;
  }
  expect(told).toEqual(want);
});
