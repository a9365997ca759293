import { generateKeyPairSync, verify } from "node:crypto";
import { expect, test } from "vitest";
import type { Secret, ServiceAccount } from "#api/generated/core/v1.ts";
import { legacyToken } from "./legacy-token.ts";
import { base64, reconcile } from "./reconcile.ts";

const account: ServiceAccount = { metadata: { name: "a", namespace: "ns", uid: "u" } };
const NAME = "kubernetes.io/service-account.name";
const UID = "kubernetes.io/service-account.uid";
const filled = { token: "dA==", namespace: base64("ns"), "ca.crt": base64("PEM") };

function secret(
  annotations: Record<string, string>,
  data?: Secret["data"],
  type = "kubernetes.io/service-account-token",
): Secret {
  const metadata = { name: "t", namespace: "ns", uid: "s", annotations };
  return { metadata, type, ...(data === undefined ? {} : { data }) };
}

test.each<[string, Secret, ServiceAccount | undefined, string[]]>([
  ["an empty one is filled", secret({ [NAME]: "a" }), account, ["fill token"]],
  ["a full one is left alone", secret({ [NAME]: "a", [UID]: "u" }, filled), account, []],
  ["another authority is put right", secret({ [NAME]: "a" }, { ...filled, "ca.crt": "eA==" }), account, ["fill"]],
  ["without account it goes", secret({ [NAME]: "a" }), undefined, ["delete"]],
  ["that of a former account goes", secret({ [NAME]: "a", [UID]: "former" }), account, ["delete"]],
  ["other Secrets are nobody's business", secret({ [NAME]: "a" }, undefined, "Opaque"), undefined, []],
])("%s", (_name, given, owner, want) => {
  const actions = reconcile({ secret: given, account: owner, rootCa: "PEM" });
  expect(actions.map((action) => (action.type === "fill" && action.needsToken ? "fill token" : action.type))).toEqual(want);
});

test("a filled Secret says whose it is", () => {
  const [action] = reconcile({ secret: secret({ [NAME]: "a" }), account, rootCa: "PEM" });
  expect(action?.secret.metadata.annotations).toEqual({ [NAME]: "a", [UID]: "u" });
  expect(action?.secret.data).toEqual({ "ca.crt": base64("PEM"), namespace: base64("ns") });
});

test("a token names its account and verifies", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const token = legacyToken(account, secret({ [NAME]: "a" }), { privateKey, keyId: "k" });
  const [header = "", claims = "", signature = ""] = token.split(".");
  const decode = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());
  expect(decode(header)).toEqual({ alg: "ES256", kid: "k" });
  expect(decode(claims)).toMatchObject({ iss: "kubernetes/serviceaccount", sub: "system:serviceaccount:ns:a" });
  const key = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;
  expect(verify("sha256", Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, "base64url"))).toBe(true);
});
