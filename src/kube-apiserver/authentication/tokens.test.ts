import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { signToken } from "#apiserver/authentication/jws.ts";
import type { TokenVerdict } from "#apiserver/authentication/token-union.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { Clock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import { bootstrapTokens } from "./bootstrap-tokens.ts";
import { legacyServiceAccountTokens } from "./legacy-service-account-tokens.ts";
import { ServiceAccountTokens } from "./service-account-tokens.ts";
import { TokenVerifier } from "./token-verifier.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const verifier = new TokenVerifier(async () => [{ publicKey, keyId: "k" }]);
const NOW = Date.parse("2030-01-01T00:00:00Z");
const clock = { now: () => NOW } as Clock;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

function stores(objects: Record<string, object>): Stores {
  const cached = (resource: string) => (namespace: string, name: string) =>
    objects[`${resource}/${namespace}/${name}`] as ApiObject;
  return { of: (_group: string, resource: string) => ({ cached: cached(resource) }) } as unknown as Stores;
}

function told(verdict: TokenVerdict): string {
  if (verdict === undefined) return "";
  return "problem" in verdict ? verdict.problem : [verdict.user.name, ...verdict.user.groups].join(" ");
}

const ACCOUNT = { metadata: { name: "a", namespace: "ns", uid: "u" } };
const POD = { metadata: { name: "p", namespace: "ns", uid: "pu" } };
const AS_ACCOUNT = "system:serviceaccount:ns:a system:serviceaccounts system:serviceaccounts:ns";

test.each<[string, Record<string, object>, string[], number, string]>([
  ["a good one", { "serviceaccounts/ns/a": ACCOUNT, "pods/ns/p": POD }, ["api"], 600, AS_ACCOUNT],
  ["a pod that is gone", { "serviceaccounts/ns/a": ACCOUNT }, ["api"], 600, 'pods "p" not found'],
  [
    "another pod of the name",
    { "serviceaccounts/ns/a": ACCOUNT, "pods/ns/p": { metadata: { uid: "other" } } },
    ["api"],
    600,
    "the UID of the bound pod does not match",
  ],
  [
    "a pod that should long be gone",
    { "serviceaccounts/ns/a": ACCOUNT, "pods/ns/p": { metadata: { uid: "pu", deletionTimestamp: "2029-12-31T23:58:59Z" } } },
    ["api"],
    600,
    "service account token has been invalidated",
  ],
  ["an account that is gone", { "pods/ns/p": POD }, ["api"], 600, 'serviceaccounts "a" not found'],
  [
    "another audience",
    { "serviceaccounts/ns/a": ACCOUNT, "pods/ns/p": POD },
    ["vault"],
    600,
    'token audiences ["api"] is invalid for the target audiences ["vault"]',
  ],
  ["an old one", { "serviceaccounts/ns/a": ACCOUNT, "pods/ns/p": POD }, ["api"], -1, "service account token has expired"],
])("a bound token: %s", async (_name, objects, audiences, life, want) => {
  const tokens = new ServiceAccountTokens({
    signingKey: async () => ({ privateKey, keyId: "k" }),
    verifier,
    issuers: ["https://own"],
    stores: stores(objects),
    clock,
    random: seededRandom(1),
  });
  const claims = { namespace: "ns", serviceaccount: { name: "a", uid: "u" }, pod: { name: "p", uid: "pu" } };
  const { token } = await tokens.issue(claims, ["api"], life);
  expect(told(await tokens.authenticate(token, audiences))).toBe(want);
});

const LEGACY = {
  iss: "kubernetes/serviceaccount",
  sub: "system:serviceaccount:ns:a",
  "kubernetes.io/serviceaccount/namespace": "ns",
  "kubernetes.io/serviceaccount/secret.name": "s",
  "kubernetes.io/serviceaccount/service-account.name": "a",
  "kubernetes.io/serviceaccount/service-account.uid": "u",
};

test.each<[string, Record<string, string>, object | undefined, object | undefined, string]>([
  ["a good one", {}, {}, ACCOUNT, AS_ACCOUNT],
  ["its Secret is gone", {}, undefined, ACCOUNT, "token has been invalidated"],
  ["its Secret holds another", {}, { data: { token: "eA==" } }, ACCOUNT, "token does not match server's copy"],
  ["its account is gone", {}, {}, undefined, 'serviceaccounts "a" not found'],
  ["another account of the name", {}, {}, { metadata: { uid: "v" } }, "ServiceAccount UID (v) does not match claim (u)"],
  ["it names two accounts", { sub: "system:serviceaccount:ns:b" }, {}, ACCOUNT, "sub claim is invalid"],
  ["it names none", { sub: "" }, {}, ACCOUNT, "sub claim is missing"],
  ["of another issuer", { iss: "https://own" }, {}, ACCOUNT, ""],
])("a legacy token: %s", async (_name, claims, secret, account, want) => {
  const token = await signToken({ ...LEGACY, ...claims }, { privateKey, keyId: "k" });
  const used: string[] = [];
  const method = legacyServiceAccountTokens({
    verifier,
    clock,
    stores: stores({
      ...(secret === undefined ? {} : { "secrets/ns/s": { data: { token: base64(token) }, ...secret } }),
      ...(account === undefined ? {} : { "serviceaccounts/ns/a": account }),
    }),
    markUsed: (_namespace, name, label, date) => used.push(`${name} ${label} ${date}`),
  });
  expect(told(await method.authenticate(token, ["api"]))).toBe(want);
  expect(used).toEqual(want === AS_ACCOUNT ? ["s kubernetes.io/legacy-token-last-used 2030-01-01"] : []);
});

const BOOTSTRAP = {
  "token-id": "abcdef",
  "token-secret": "0123456789abcdef",
  "usage-bootstrap-authentication": "true",
  "auth-extra-groups": "system:bootstrappers:workers",
};

test.each<[string, Record<string, string>, string, string]>([
  ["a good one", {}, "", "system:bootstrap:abcdef system:bootstrappers system:bootstrappers:workers"],
  ["another secret", { "token-secret": "0123456789abcdeX" }, "", ""],
  ["not for authentication", { "usage-bootstrap-authentication": "false" }, "", ""],
  ["over", { expiration: "2029-12-31T23:59:59Z" }, "", ""],
  ["with an end that nobody can read", { expiration: "soon" }, "", ""],
  ["a group that is none for nodes", { "auth-extra-groups": "system:masters" }, "", ""],
  ["another type", {}, "Opaque", ""],
])("a bootstrap token: %s", async (_name, changes, type, want) => {
  const data = Object.fromEntries(Object.entries({ ...BOOTSTRAP, ...changes }).map(([key, value]) => [key, base64(value)]));
  const secret = { metadata: {}, type: type || "bootstrap.kubernetes.io/token", data };
  const method = bootstrapTokens({ stores: stores({ "secrets/kube-system/bootstrap-token-abcdef": secret }), clock });
  expect(told(await method.authenticate("abcdef.0123456789abcdef", ["api"]))).toBe(want);
});
