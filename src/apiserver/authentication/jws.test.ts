import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { algorithmOf, isSigned, readToken, signToken } from "./jws.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "secp384r1" });
const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
const forged = (header: object): string => `${encode(header)}.${encode({ iss: "x" })}.c2ln`;

test.each([
  { name: "RSA", pair: rsa, want: "RS256" },
  { name: "ECDSA on P-384", pair: ec, want: "ES384" },
])("what a key of $name signs, it verifies", async ({ pair, want }) => {
  expect(algorithmOf(pair.publicKey)).toBe(want);
  const token = readToken(await signToken({ sub: "a" }, { privateKey: pair.privateKey, keyId: "k" }));
  expect(token?.claims).toEqual({ sub: "a" });
  const isBy = (keys: Parameters<typeof isSigned>[1]): boolean => token !== undefined && isSigned(token, keys);
  expect(isBy([{ publicKey: pair.publicKey, keyId: "k" }])).toBe(true);
  expect(isBy([{ publicKey: pair.publicKey, keyId: "other" }])).toBe(false);
  expect(isBy([{ publicKey: (pair === rsa ? ec : rsa).publicKey, keyId: "k" }])).toBe(false);
});

test.each([
  { name: "no signature", token: `${encode({ alg: "none" })}.${encode({})}.` },
  { name: "the algorithm none", token: forged({ alg: "none" }) },
  { name: "a symmetric algorithm", token: forged({ alg: "HS256" }) },
  { name: "an extension that must be understood", token: forged({ alg: "RS256", crit: ["b64"], b64: false }) },
  { name: "a name of every object in place of the algorithm", token: forged({ alg: "constructor" }) },
  { name: "four parts", token: `${forged({ alg: "RS256" })}.x` },
  { name: "no JSON", token: "a.b.c" },
])("a token with $name is none", ({ token }) => {
  expect(readToken(token)).toBeUndefined();
});
