import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { Authenticator, type AuthenticatorOptions, readPair } from "./authenticator.ts";
import type { DirectoryUser } from "./directory-options.ts";
import { LoginTokens } from "./login-tokens.ts";

const HOUR_MS = 60 * 60 * 1000;
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const alice: DirectoryUser = { name: "alice", uid: "1", groups: ["staff", "system:masters"], extra: {} };
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });

function setUp(options: Partial<AuthenticatorOptions> = {}) {
  const people = new Map<string, DirectoryUser>([
    ["alice", alice],
    ["system:admin", { ...alice, name: "system:admin", uid: "2" }],
  ]);
  const directory = {
    checkPassword: async (name: string, password: string) => (password === `${name}'s` ? people.get(name) : undefined),
    find: async (name: string) => people.get(name),
    findByToken: async (token: string) => (token === "kept" ? alice : undefined),
  };
  const clock = new ManualClock(1_700_000_000_000);
  const tokens = new LoginTokens({ privateKey, lifetimeMs: HOUR_MS }, clock);
  const all: AuthenticatorOptions = { kinds: ["signed", "password", "attribute"], usernamePrefix: "", groupsPrefix: "" };
  return { people, clock, authenticator: new Authenticator({ ...all, ...options }, { directory, tokens }) };
}

test("each kind of token is taken where it is switched on, and not elsewhere", async () => {
  const { authenticator } = setUp();
  const signed = (await authenticator.logIn("alice", "alice's")) ?? "";
  const tokens = { signed, password: base64("alice:alice's"), attribute: "kept" };
  for (const kind of ["signed", "password", "attribute"] as const) {
    const only = setUp({ kinds: [kind] }).authenticator;
    const known = await Promise.all(Object.entries(tokens).map(async ([k, token]) => [k, (await only.review(token))?.name]));
    expect(Object.fromEntries(known)).toEqual({ signed: undefined, password: undefined, attribute: undefined, [kind]: "alice" });
  }
});

test("a signed token ends with its time, with the person, and with the person's UID", async () => {
  const { authenticator, people, clock } = setUp();
  const token = (await authenticator.logIn("alice", "alice's")) ?? "";
  people.set("alice", { ...alice, groups: ["others"] });
  expect(await authenticator.review(token)).toMatchObject({ name: "alice", groups: ["others"] });
  people.set("alice", { ...alice, uid: "3" });
  expect(await authenticator.review(token)).toBeUndefined();
  people.delete("alice");
  expect(await authenticator.review(token)).toBeUndefined();
  people.set("alice", alice);
  await clock.advance(HOUR_MS - 1000);
  expect(await authenticator.review(token)).toBeDefined();
  await clock.advance(1000);
  expect(await authenticator.review(token)).toBeUndefined();
});

test("a token with another's signature, and one that was changed, are nobody's", async () => {
  const { authenticator } = setUp();
  const token = (await authenticator.logIn("alice", "alice's")) ?? "";
  const [head = "", , signature = ""] = token.split(".");
  const forged = Buffer.from(
    JSON.stringify({ iss: "kybern-ldap-authn", aud: "kybern-ldap-authn", sub: "bob", uid: "1", exp: 9e9 }),
  );
  expect(await authenticator.review(`${head}.${forged.toString("base64url")}.${signature}`)).toBeUndefined();
  const other = new LoginTokens(
    { privateKey: generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey, lifetimeMs: HOUR_MS },
    new ManualClock(1_700_000_000_000),
  );
  expect(await authenticator.review(await other.issue({ name: "alice", uid: "1" }))).toBeUndefined();
});

test("Kubernetes' own names are not a directory's to give", async () => {
  const { authenticator } = setUp();
  expect(await authenticator.review(base64("alice:alice's"))).toMatchObject({ groups: ["staff"] });
  expect(await authenticator.review(base64("system:admin:system:admin's"))).toBeUndefined();
  expect(await authenticator.logIn("system:admin", "system:admin's")).toBeUndefined();
  const prefixed = setUp({ usernamePrefix: "ldap:", groupsPrefix: "ldap:" }).authenticator;
  expect(await prefixed.review(base64("alice:alice's"))).toMatchObject({
    name: "ldap:alice",
    groups: ["ldap:staff", "ldap:system:masters"],
  });
});

test.each([
  [base64("alice:a:b"), { name: "alice", password: "a:b" }],
  [base64("älice:pä?>").replaceAll("+", "-").replaceAll("/", "_"), { name: "älice", password: "pä?>" }],
  [base64("alice:"), undefined],
  [base64(":secret"), undefined],
  [base64("alice"), undefined],
  [Buffer.from([0xff, 0x3a, 0x61]).toString("base64"), undefined],
  [base64("alice:\0"), undefined],
  ["alice:secret", undefined],
  ["", undefined],
])("%s is %j", (encoded, want) => {
  expect(readPair(encoded)).toEqual(want);
});
