import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { signToken } from "#apiserver/authentication/jws.ts";
import { realClock } from "#base/clock.ts";
import { GuardedServer } from "../support/guarded-server.ts";
import { JsonServer } from "../support/json-server.ts";
import { eventually } from "../support/kubectl.ts";

const AUDIENCE = "kybern";
const key = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const now = Math.floor(realClock.now() / 1000);

/** An issuer whose tokens name groups that another issuer tells of; both on servers of one authority. */
describe("groups that stand elsewhere", () => {
  let dir: string;
  let first: JsonServer;
  let server: GuardedServer;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "kybern-claims-"));
    first = await JsonServer.start();
    // The second issuer is below a path of the first one's server.
    for (const issuer of [first.url, `${first.url}/groups-issuer`]) {
      const path = issuer.slice(first.url.length);
      first.on(`${path}/.well-known/openid-configuration`, () => ({ issuer, jwks_uri: `${first.url}/keys` }));
    }
    first.on("/keys", () => ({ keys: [{ kid: "k", use: "sig", alg: "ES256", ...key.publicKey.export({ format: "jwk" }) }] }));
    const caFile = join(dir, "ca.pem");
    writeFileSync(caFile, first.ca);
    server = await GuardedServer.start({
      authentication: {
        oidc: {
          ...{ issuerUrl: first.url, clientId: AUDIENCE, usernameClaim: "sub", usernamePrefix: "-" },
          ...{ groupsClaim: "groups", groupsPrefix: "", signingAlgs: ["ES256"], requiredClaims: [], caFile },
        },
      },
    });
    const plain = await token({ groups: ["plain"] });
    await eventually(async () => (await whoIs(plain)) !== "", 10_000, "the provider is found");
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    await first?.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  beforeEach(() => {
    first.calls.length = 0;
  });

  const token = (claims: object, issuer = first.url, keys = key): Promise<string> => {
    const all = { iss: issuer, aud: AUDIENCE, exp: now + 600, sub: "olga", ...claims };
    return signToken(all, { privateKey: keys.privateKey, keyId: "k" });
  };
  const elsewhere = (endpoint: string, more: object = {}): Promise<string> =>
    token({ _claim_names: { groups: "src" }, _claim_sources: { src: { endpoint, access_token: "let-me", ...more } } });

  async function review(shown: string): Promise<{ status: { user?: { groups: string[] }; error?: string } }> {
    const path = "/apis/authentication.k8s.io/v1/tokenreviews";
    return (await server.ask(server.admin, "POST", path, { spec: { token: shown } })).body;
  }
  const whoIs = async (shown: string): Promise<string> => (await review(shown)).status.user?.groups.join(" ") ?? "";

  test("are fetched with the token that goes with them, from whom the token names, and believed to whom signed them", async () => {
    const told = await token({ groups: ["a", "b"] }, `${first.url}/groups-issuer`);
    first.on("/groups", () => told);
    expect(await whoIs(await elsewhere(`${first.url}/groups`))).toBe("a b system:authenticated");
    expect(first.calls.find(({ path }) => path === "/groups")?.authorization).toBe("Bearer let-me");
  });

  test("are not asked for where the token has them", async () => {
    const all = { _claim_names: { groups: "src" }, _claim_sources: { src: { endpoint: `${first.url}/groups` } } };
    expect(await whoIs(await token({ ...all, groups: ["own"] }))).toBe("own system:authenticated");
    expect(first.calls).toEqual([]);
  });

  test.each<[string, object, string]>([
    ["other claims' alone", { _claim_names: { other: "src" }, _claim_sources: {} }, "system:authenticated"],
    ["in the token itself", { _claim_names: { groups: "src" }, _claim_sources: { src: { JWT: "x" } } }, "system:authenticated"],
  ])("that are %s are none", async (_, claims, want) => {
    expect(await whoIs(await token(claims))).toBe(want);
  });

  const strangers = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  test.each<[string, () => Promise<unknown>, RegExp]>([
    [
      "a key of nobody",
      () => token({ groups: ["a"] }, undefined, strangers),
      /verify distributed claim token: failed to verify signature/,
    ],
    [
      "an audience of others",
      () => token({ groups: ["a"], aud: "x" }),
      /verify distributed claim token: oidc: expected audience/,
    ],
    ["an end long ago", () => token({ groups: ["a"], exp: now - 600 }), /verify distributed claim token: oidc: token is expired/],
    ["no groups", () => token({}), /did not contain claim: groups/],
    ["no form of a token", async () => "nonsense", /getting untrusted issuer from endpoint .* failed for claim "groups"/],
    ["an issuer that is not there", () => token({ groups: ["a"] }, `${first.url}/nobody`), /verifier not initialized for issuer/],
    [
      "no answer",
      async () => undefined,
      /while getting distributed claim "groups": error while getting distributed claim JWT: 404 Not Found/,
    ],
  ])("that have %s let nobody in", async (_, answer, message) => {
    const told = await answer();
    first.on("/groups", () => told);
    const { status } = await review(await elsewhere(`${first.url}/groups`));
    expect(status.user?.groups ?? []).toEqual([]);
    expect(status.error).toMatch(/oidc: could not expand distributed claims: /);
    expect(status.error).toMatch(message);
  });

  test.each<[string, object, RegExp]>([
    ["no sources", { _claim_names: { groups: "src" } }, /oidc: no claim sources/],
    [
      "another source",
      { _claim_names: { groups: "src" }, _claim_sources: { x: {} } },
      /contained a source src missing in _claims_sources/,
    ],
    ["no names", { _claim_names: "groups", _claim_sources: {} }, /error parsing distributed claim names/],
  ])("where the token has %s let nobody in", async (_, claims, message) => {
    expect((await review(await token(claims))).status.error).toMatch(message);
  });
});
