import { expect, test } from "vitest";
import { userOfClaims } from "./claims-user.ts";
import { configurationOfFlags, type OidcFlags } from "./jwt-configuration.ts";

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
