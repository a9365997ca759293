import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signToken } from "#apiserver/authentication/jws.ts";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { LogFields, Logger } from "#component-base/logging.ts";
import { type ControlPlane, startControlPlane } from "#envtest/control-plane.ts";
import { type ClusterAssets, ensureClusterAssets } from "#pki/cluster-assets.ts";
import { asker } from "../support/ask.ts";
import { JsonServer } from "../support/json-server.ts";
import { eventually } from "../support/kubectl.ts";
import { openTestStore } from "../support/store.ts";

// Whoever may read logs is not whoever may do everything (CVE-2019-11250, CVE-2020-8565 and others were of that).

const lines: string[] = [];
/** Writes down whatever it is told, at every level, with all that hangs on it. */
const logger: Logger = {
  debug: (fields, message) => write(fields, message),
  info: (fields, message) => write(fields, message),
  warn: (fields, message) => write(fields, message),
  error: (fields, message) => write(fields, message),
  child: () => logger,
};
function write(fields: LogFields, message: string): void {
  lines.push(`${message} ${inspect(fields, { depth: 20, maxStringLength: null, maxArrayLength: null, showHidden: true })}`);
}

const word = (name: string): string => `open-sesame-${name}-0123456789`;
const kv = await openTestStore();
const answers: string[] = [];
let dir: string;
let outside: JsonServer;
let assets: ClusterAssets;
let plane: ControlPlane;
let ask: ReturnType<typeof asker>;
let asked: typeof ask;
let idToken: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "kybern-no-secrets-"));
  const put = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  outside = await JsonServer.start();
  const key = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  outside.on("/.well-known/openid-configuration", () => ({ issuer: outside.url, jwks_uri: `${outside.url}/keys` }));
  outside.on("/keys", () => ({ keys: [{ kid: "k", use: "sig", alg: "ES256", ...key.publicKey.export({ format: "jwk" }) }] }));
  const now = Math.floor(Date.now() / 1000);
  idToken = await signToken(
    { iss: outside.url, aud: "kybern", exp: now + 3600, sub: "olga", nonce: word("claim") },
    { privateKey: key.privateKey, keyId: "k" },
  );
  const jwt = [
    {
      issuer: { url: outside.url, audiences: ["kybern"], certificateAuthority: outside.ca },
      claimMappings: { username: { claim: "sub", prefix: "oidc:" } },
    },
  ];
  const version = { apiVersion: "apiserver.config.k8s.io/v1" };
  const aescbc = { keys: [{ name: "k", secret: Buffer.from(word("rest").padEnd(32).slice(0, 32)).toString("base64") }] };
  const resources = [{ resources: ["secrets"], providers: [{ aescbc }, { identity: {} }] }];
  const policy = {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    rules: [
      // What holds secrets by itself, as every policy of the guides has it.
      { level: "Metadata", resources: [{ resources: ["secrets", "serviceaccounts/token"] }, { group: "authentication.k8s.io" }] },
      { level: "Request", verbs: ["delete"] },
      { level: "RequestResponse" },
    ],
  };
  assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange: "10.96.0.0/12" });
  plane = await startControlPlane({
    kv,
    clock: realClock,
    random: systemRandom,
    logger,
    assets,
    bindAddress: "127.0.0.1",
    port: 0,
    serviceClusterIpRange: "10.96.0.0/12",
    nodes: 1,
    authentication: {
      tokenAuthFile: put("tokens.csv", `${word("file")},tom,7,"system:masters"\n`),
      enableBootstrapTokenAuth: true,
      authenticationConfigFile: put("jwt.json", JSON.stringify({ ...version, kind: "AuthenticationConfiguration", jwt })),
      // Answers nothing: each question fails, and is told of.
      tokenWebhook: { configFile: put("webhook.json", outside.kubeconfig("/absent", word("webhook"))), version: "v1" },
    },
    encryption: {
      configFile: put("rest.json", JSON.stringify({ ...version, kind: "EncryptionConfiguration", resources })),
      automaticReload: false,
    },
    audit: {
      policyFile: put("policy.json", JSON.stringify(policy)),
      logPath: join(dir, "audit.log"),
      webhookConfigFile: put("audit.json", outside.kubeconfig("/absent", word("webhook"))),
      webhookBatch: { maxWaitMs: 50 },
    },
  });
  const credentials = { ca: assets.ca.cert, cert: assets.admin.cert, key: assets.admin.key };
  asked = asker({ url: plane.apiServer.url, credentials });
  ask = async (...what) => {
    const answer = await asked(...what);
    answers.push(answer.status >= 400 ? answer.text : "");
    return answer;
  };
}, 60_000);
afterAll(async () => {
  await plane?.stop();
  await kv.close();
  await outside?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** As somebody who has no certificate of the administrator. */
function asBearer(token: string, path = "/api/v1/namespaces", method = "GET"): ReturnType<typeof ask> {
  return ask(method, path, undefined, { authorization: `Bearer ${token}` });
}

test("neither logs nor audit tell a secret, nor does a refusal", async () => {
  const home = "/api/v1/namespaces/default";
  await eventually(async () => (await ask("GET", `${home}/serviceaccounts/default`)).status === 200);
  const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
  const { token } = (await ask("POST", `${home}/serviceaccounts/default/token`, review)).body.status;
  const bootstrap = { "token-id": "abcdef", "token-secret": "0123456789sesame", "usage-bootstrap-authentication": "true" };
  const type = "bootstrap.kubernetes.io/token";
  const secret = { metadata: { name: "bootstrap-token-abcdef" }, type, stringData: bootstrap };
  expect((await ask("POST", "/api/v1/namespaces/kube-system/secrets", secret)).status).toBe(201);
  for (const known of [word("file"), `abcdef.${bootstrap["token-secret"]}`, idToken, token, word("unknown"), `${token}x`]) {
    await asBearer(known);
    await asBearer(known, "/api/v1/nodes/none/proxy/x");
    await asBearer(known, `${home}/pods/none/exec?command=x`, "POST");
    await ask("GET", "/api/v1/nodes", undefined, { authorization: known });
    await ask("GET", "/api/v1/nodes", undefined, { "sec-websocket-protocol": `base64url.bearer.authorization.k8s.io.${known}` });
  }
  const secrets = `${home}/secrets`;
  await ask("POST", secrets, { metadata: { name: "s" }, data: { a: Buffer.from(word("body")).toString("base64") } });
  for (const broken of [
    { metadata: { name: "t" }, data: { a: word("body") } },
    { metadata: { name: "t" }, data: word("body") },
    { metadata: { name: "T" }, stringData: { a: word("body") } },
    { metadata: { name: "t" }, type: "kubernetes.io/dockerconfigjson", stringData: { ".dockerconfigjson": word("body") } },
  ]) {
    await ask("POST", secrets, broken);
  }
  await ask("POST", secrets, `{"metadata":{"name":"t"},"data":{"a":"${word("body")}"`);
  await ask("PATCH", `${secrets}/s`, [{ op: "test", path: "/data/a", value: word("body") }]);
  // Who may patch sees what came of it, also where that is refused; the audit log may not.
  expect((await asked("PATCH", `${secrets}/s`, { data: { a: word("body") } })).text).toContain(word("body"));
  await ask("DELETE", `${secrets}/s`);

  const audit = (): string => readFileSync(join(dir, "audit.log"), "utf8");
  await eventually(async () => audit().includes('"requestURI":"/api/v1/namespaces/default/secrets/s"'));
  const told = [...lines, ...audit().split("\n"), ...answers].join("\n");
  expect(told.length).toBeGreaterThan(10_000);
  const pem = ({ key }: { readonly key: string }): string => key.split("\n")[1] ?? "";
  const kept = [
    ...["file", "webhook", "body", "unknown", "rest", "claim"].flatMap((name) => {
      const text = word(name);
      return [text, Buffer.from(text).toString("base64").slice(0, 30)];
    }),
    bootstrap["token-secret"],
    // The signature: without it a token is no token.
    ...[token, idToken].map((each: string) => each.split(".")[2] ?? ""),
    ...[assets.ca, assets.apiserver, assets.admin, assets.kubeletClient, assets.frontProxyClient].map(pem),
  ];
  expect(kept.filter((each) => each.length < 10)).toEqual([]);
  const found = kept.filter((each) => told.includes(each));
  expect(found.map((each) => told.split("\n").find((line) => line.includes(each)))).toEqual([]);
});
