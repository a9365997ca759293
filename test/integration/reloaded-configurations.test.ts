import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signToken } from "#apiserver/authentication/jws.ts";
import { type Clock, realClock } from "#base/clock.ts";
import { type Caller, GuardedServer } from "../support/guarded-server.ts";
import { JsonServer } from "../support/json-server.ts";
import { eventually } from "../support/kubectl.ts";

const GROUP = { apiVersion: "apiserver.config.k8s.io/v1" };
/** Files are looked at each 10 s; a test has no time for that. */
const quickClock: Clock = {
  ...realClock,
  setInterval: (task, periodMs, options) => realClock.setInterval(task, periodMs === 10_000 ? 50 : periodMs, options),
};

const signing = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
let dir: string;
let outside: JsonServer;
let guarded: GuardedServer;
let lisa: Caller;
let writeAuthorization: (...paths: string[]) => void;
let writeAuthentication: (prefix: string, audience: string) => void;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "kybern-reloaded-"));
  outside = await JsonServer.start();
  outside.on("/.well-known/openid-configuration", () => ({ issuer: outside.url, jwks_uri: `${outside.url}/keys` }));
  outside.on("/keys", () => ({
    keys: [{ kid: "k", use: "sig", alg: "ES256", ...signing.publicKey.export({ format: "jwk" }) }],
  }));
  for (const path of ["/yes", "/no"]) {
    writeFileSync(join(dir, `hook${path.slice(1)}`), outside.kubeconfig(path, "ours"));
    outside.on(path, () => ({ status: { allowed: path === "/yes", reason: `from ${path}` } }));
  }
  const authorization = join(dir, "authorization.json");
  const authentication = join(dir, "authentication.json");
  const webhook = (path: string): object => ({
    type: "Webhook",
    name: path.slice(1),
    webhook: {
      ...{
        timeout: "3s",
        failurePolicy: "NoOpinion",
        subjectAccessReviewVersion: "v1",
        matchConditionSubjectAccessReviewVersion: "v1",
      },
      ...{ authorizedTTL: "1s", unauthorizedTTL: "1s" },
      connectionInfo: { type: "KubeConfigFile", kubeConfigFile: join(dir, `hook${path.slice(1)}`) },
    },
  });
  writeAuthorization = (...paths) => {
    const authorizers = paths.map((path) => (path.startsWith("/") ? webhook(path) : { type: path, name: path.toLowerCase() }));
    writeFileSync(authorization, JSON.stringify({ ...GROUP, kind: "AuthorizationConfiguration", authorizers }));
  };
  writeAuthentication = (prefix, audience) => {
    const issuer = { url: outside.url, audiences: [audience], certificateAuthority: outside.ca };
    const jwt = [{ issuer, claimMappings: { username: { claim: "sub", prefix } } }];
    writeFileSync(authentication, JSON.stringify({ ...GROUP, kind: "AuthenticationConfiguration", jwt }));
  };
  writeAuthorization("Node", "RBAC");
  writeAuthentication("one:", "kybern");
  guarded = await GuardedServer.start({
    clock: quickClock,
    authorization: { configFile: authorization },
    authentication: { authenticationConfigFile: authentication },
  });
  lisa = guarded.user("lisa");
}, 60_000);
afterAll(async () => {
  await guarded?.stop();
  await outside?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const NODES = "/api/v1/nodes";
const statusIs = async (status: number): Promise<void> => {
  expect(await eventually(async () => (await guarded.ask(lisa, "GET", NODES)).status === status)).toBe(true);
};

test("webhooks of an AuthorizationConfiguration come and go; what cannot be used changes nothing", async () => {
  await statusIs(403);
  writeAuthorization("Node", "RBAC", "/yes");
  await statusIs(200);
  // Without a built-in authorizer that was there, and not even a document.
  writeAuthorization("/no");
  await realClock.sleep(300);
  await statusIs(200);
  writeFileSync(join(dir, "authorization.json"), "{");
  await realClock.sleep(300);
  await statusIs(200);
  writeAuthorization("Node", "RBAC", "/no");
  await statusIs(403);
});

test("providers of an AuthenticationConfiguration are others from one request to the next", async () => {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const token = await signToken(
    { iss: outside.url, aud: "kybern", exp, sub: "olga" },
    { privateKey: signing.privateKey, keyId: "k" },
  );
  const olga = guarded.caller(undefined, token);
  const who = async (): Promise<string> => {
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const { status, body } = await guarded.ask(olga, "POST", path, review);
    return status === 201 ? body.status.userInfo.username : String(status);
  };
  expect(await eventually(async () => (await who()) === "one:olga")).toBe(true);
  writeAuthentication("two:", "kybern");
  expect(await eventually(async () => (await who()) === "two:olga")).toBe(true);
  writeAuthentication("two:", "somebody else");
  expect(await eventually(async () => (await who()) === "401")).toBe(true);
});
