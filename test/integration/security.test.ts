import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signToken } from "#apiserver/authentication/jws.ts";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { silentLogger } from "#component-base/logging.ts";
import { type ControlPlane, startControlPlane } from "#envtest/control-plane.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import { type ClusterAssets, ensureClusterAssets } from "#pki/cluster-assets.ts";
import type { KVStore } from "#storage/kv.ts";
import { JsonServer } from "../support/json-server.ts";
import { eventually } from "../support/kubectl.ts";
import { openTestStore } from "../support/store.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Json = any;

interface Credentials {
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

/** A kubelet's: `system:node:n1` of `system:nodes`. */
const NODE_REQUEST =
  "MIHqMIGSAgEAMDAxFTATBgNVBAoMDHN5c3RlbTpub2RlczEXMBUGA1UEAwwOc3lzdGVtOm5vZGU6bjEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQeN2nwA1inysiBgb708gIeUIfaRxzwSuD0kqS9xUv7Qc1m6W1h7u9tZ8VsO7hucFZI/VMF294/XUJh5bg7tcDZoAAwCgYIKoZIzj0EAwIDRwAwRAIgW7eYg/AaB/os6lcN7uzmudTR5y51yH+ZDdzzNjP7J80CIH+N5xqoXJOKnDLR4Yy4P3xKLCQPvcs1p93laXcD5x9+";
const WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const NOW_SECONDS = Math.floor(Date.now() / 1000);
const signing = generateKeyPairSync("ec", { namedCurve: "prime256v1" });

describe("an API server with every kind of credentials", () => {
  let dir: string;
  let outside: JsonServer;
  let assets: ClusterAssets;
  let plane: ControlPlane;
  let kv: KVStore;
  const file = (name: string): string => join(dir, name);
  const write = (name: string, text: string): string => {
    writeFileSync(file(name), text);
    return file(name);
  };

  beforeAll(async () => {
    kv = await openTestStore();
    dir = mkdtempSync(join(tmpdir(), "kybern-security-"));
    outside = await JsonServer.start();
    outside.on("/.well-known/openid-configuration", () => ({ issuer: outside.url, jwks_uri: `${outside.url}/keys` }));
    outside.on("/keys", () => ({
      keys: [{ kid: "k", use: "sig", alg: "ES256", ...signing.publicKey.export({ format: "jwk" }) }],
    }));
    outside.on("/token", (body) => {
      const { token } = (body as { spec: { token: string } }).spec;
      return { status: token === "ldap" ? { authenticated: true, user: { username: "lisa", groups: ["staff"] } } : {} };
    });
    outside.on("/access", (body) => {
      const { user, resourceAttributes } = (body as { spec: { user: string; resourceAttributes?: { resource: string } } }).spec;
      return { status: { allowed: user === "lisa" && resourceAttributes?.resource === "configmaps", reason: "by hand" } };
    });
    outside.on("/audit", () => ({}));
    assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange: "10.96.0.0/12" });
    const policy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- { level: RequestResponse, verbs: [create], resources: [{ resources: [configmaps] }], omitManagedFields: true }
- { level: Metadata, userGroups: [staff, "system:unauthenticated"] }
- { level: Metadata, verbs: [watch], users: [wanda] }
- { level: Metadata, nonResourceURLs: [/refused] }
`;
    plane = await startControlPlane({
      kv,
      clock: realClock,
      random: systemRandom,
      logger: silentLogger,
      assets,
      bindAddress: "127.0.0.1",
      port: 0,
      serviceClusterIpRange: "10.96.0.0/12",
      nodes: 0,
      authentication: {
        tokenAuthFile: write("token.csv", 's3cret,tom,7,"system:masters"\nwatching,wanda,8,"system:masters"\n'),
        enableBootstrapTokenAuth: true,
        authenticationConfigFile: write(
          "authentication.yaml",
          JSON.stringify({
            apiVersion: "apiserver.config.k8s.io/v1",
            kind: "AuthenticationConfiguration",
            anonymous: { enabled: true, conditions: [{ path: "/livez" }] },
            jwt: [
              {
                issuer: { url: outside.url, audiences: ["kybern"], certificateAuthority: outside.ca },
                claimMappings: { username: { claim: "sub", prefix: "oidc:" }, groups: { claim: "groups", prefix: "" } },
              },
            ],
          }),
        ),
        tokenWebhook: { configFile: write("token-webhook.json", outside.kubeconfig("/token", "ours")), version: "v1" },
      },
      authorization: {
        modes: ["Node", "RBAC", "Webhook"],
        webhook: { configFile: write("access-webhook.json", outside.kubeconfig("/access", "ours")), version: "v1" },
      },
      audit: {
        policyFile: write("policy.yaml", policy),
        logPath: file("audit.log"),
        webhookConfigFile: write("audit-webhook.json", outside.kubeconfig("/audit", "ours")),
        webhookBatch: { maxWaitMs: 50 },
      },
    });
  }, 60_000);
  afterAll(async () => {
    await plane?.stop();
    await kv.close();
    await outside?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  function ask(method: string, path: string, who: Credentials = {}, body?: unknown): Promise<{ status: number; body: Json }> {
    const { cert, key, token, headers } = who;
    return new Promise((resolve, reject) => {
      const sent = request(
        `${plane.apiServer.url}${path}`,
        {
          method,
          ca: assets.ca.cert,
          ...(cert === undefined ? {} : { cert, key }),
          headers: {
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...headers,
          },
          agent: false,
        },
        (response) => {
          let text = "";
          response.on("data", (chunk) => {
            text += chunk;
          });
          response.on("end", () => {
            const isJson = response.headers["content-type"]?.includes("json") === true && !path.includes("watch=true");
            resolve({ status: response.statusCode ?? 0, body: isJson ? JSON.parse(text) : text });
          });
        },
      );
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  const admin = (): Credentials => ({ cert: assets.admin.cert, key: assets.admin.key });
  async function whoIs(who: Credentials): Promise<string> {
    const { status, body } = await ask("POST", WHO, who, { metadata: {} });
    if (status !== 201) return String(status);
    const { username, groups = [] } = body.status.userInfo;
    return [username, ...groups].join(" ");
  }
  const idToken = (claims: object): Promise<string> =>
    signToken(
      { iss: outside.url, aud: "kybern", exp: NOW_SECONDS + 3600, sub: "olga", groups: ["g"], ...claims },
      { privateKey: signing.privateKey, keyId: "k" },
    );
  const auditLog = (): Json[] =>
    readFileSync(file("audit.log"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));

  test("who is who", async () => {
    const now = realClock.now();
    const foreign = issueCertificate(createAuthority("kubernetes", now), { commonName: "eve", usages: ["client"] }, now);
    const expired = issueCertificate(assets.ca, { commonName: "old", usages: ["client"], lifetimeMs: -1000 }, now);
    const serving = issueCertificate(assets.ca, { commonName: "srv", usages: ["server"] }, now);
    const remote = { "X-Remote-User": "rita", "X-Remote-Group": ["a, b", "c"] };
    const proxy = assets.frontProxyClient;
    const other = issueCertificate(assets.frontProxyCa, { commonName: "other", usages: ["client"] }, now);
    await eventually(async () => (await whoIs({ token: await idToken({}) })) !== "401", 10_000, "the provider is found");
    const cases: [string, Credentials, string][] = [
      ["a certificate", admin(), "kubernetes-admin system:masters system:authenticated"],
      ["a certificate of another authority", foreign, "401"],
      ["one that is over", expired, "401"],
      ["one for servers", serving, "401"],
      ["a token of the file", { token: "s3cret" }, "tom system:masters system:authenticated"],
      ["an unknown token", { token: "guess" }, "401"],
      ["an ID token", { token: await idToken({}) }, "oidc:olga g system:authenticated"],
      ["an old ID token", { token: await idToken({ exp: NOW_SECONDS - 10 }) }, "401"],
      ["an ID token for others", { token: await idToken({ aud: "x" }) }, "401"],
      ["a token that the webhook knows", { token: "ldap" }, "lisa staff system:authenticated"],
      ["a proxy", { ...proxy, headers: remote }, "rita a, b c system:authenticated"],
      ["a proxy of another name", { ...other, headers: remote }, "401"],
      ["a client that plays the proxy", { ...admin(), headers: remote }, "kubernetes-admin system:masters system:authenticated"],
      ["nobody", {}, "401"],
    ];
    const told = await Promise.all(cases.map(async ([name, who]) => [name, await whoIs(who)]));
    expect(told).toEqual(cases.map(([name, , want]) => [name, want]));
    expect((await ask("GET", "/livez")).status).toBe(200);
    expect((await ask("GET", "/readyz")).status).toBe(401);
  });

  test("a bootstrap token lets a node ask for its first certificate, which it gets", async () => {
    const data = {
      "token-id": "abcdef",
      "token-secret": "0123456789abcdef",
      "usage-bootstrap-authentication": "true",
    };
    await ask("POST", "/api/v1/namespaces/kube-system/secrets", admin(), {
      metadata: { name: "bootstrap-token-abcdef" },
      type: "bootstrap.kubernetes.io/token",
      stringData: data,
    });
    const token = "abcdef.0123456789abcdef";
    expect(await whoIs({ token })).toBe("system:bootstrap:abcdef system:bootstrappers system:authenticated");
    for (const role of ["system:node-bootstrapper", "system:certificates.k8s.io:certificatesigningrequests:nodeclient"]) {
      await ask("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", admin(), {
        metadata: { name: role.replaceAll(":", "-") },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:bootstrappers" }],
      });
    }
    const requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${NODE_REQUEST}\n-----END CERTIFICATE REQUEST-----\n`;
    const usages = ["digital signature", "client auth"];
    const spec = {
      signerName: "kubernetes.io/kube-apiserver-client-kubelet",
      usages,
      request: Buffer.from(pem).toString("base64"),
    };
    expect((await ask("POST", requests, { token }, { metadata: { name: "n1" }, spec })).status).toBe(201);
    let certificate = "";
    const isSigned = async (): Promise<boolean> => {
      const { body } = await ask("GET", `${requests}/n1`, { token });
      certificate = Buffer.from(body.status?.certificate ?? "", "base64").toString();
      return certificate !== "";
    };
    await eventually(isSigned, 10_000, "the request is approved and signed");
    const issued = new X509Certificate(certificate);
    expect(issued.subject).toBe("O=system:nodes\nCN=system:node:n1");
    expect(issued.verify(new X509Certificate(assets.ca.cert).publicKey)).toBe(true);
  });

  test("a legacy token is good as long as its Secret", async () => {
    const secrets = "/api/v1/namespaces/default/secrets";
    await ask("POST", secrets, admin(), {
      metadata: { name: "legacy", annotations: { "kubernetes.io/service-account.name": "default" } },
      type: "kubernetes.io/service-account-token",
    });
    let token = "";
    const isFilled = async (): Promise<boolean> => {
      const { body } = await ask("GET", `${secrets}/legacy`, admin());
      token = Buffer.from(body.data?.token ?? "", "base64").toString();
      return token !== "";
    };
    await eventually(isFilled, 10_000, "the controller fills the Secret");
    expect(await whoIs({ token })).toBe(
      "system:serviceaccount:default:default system:serviceaccounts system:serviceaccounts:default system:authenticated",
    );
    await ask("DELETE", `${secrets}/legacy`, admin());
    await eventually(async () => (await whoIs({ token })) === "401", 1500, "the token is refused");
  });

  test("a bound token ends with its pod", async () => {
    const pods = "/api/v1/namespaces/default/pods";
    await ask("POST", pods, admin(), { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }] } });
    const { body } = await ask("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", admin(), {
      spec: { boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p" } },
    });
    const { token } = body.status;
    expect(await whoIs({ token })).toContain("system:serviceaccount:default:default");
    await ask("DELETE", `${pods}/p?gracePeriodSeconds=0`, admin());
    await eventually(async () => (await whoIs({ token })) === "401", 1000, "the token is refused");
  });

  test("the webhook decides what RBAC does not", async () => {
    expect((await ask("GET", "/api/v1/namespaces/default/configmaps", { token: "ldap" })).status).toBe(200);
    expect((await ask("GET", "/api/v1/namespaces/default/secrets", { token: "ldap" })).status).toBe(403);
    const question = { spec: { user: "lisa", resourceAttributes: { resource: "configmaps", verb: "get" } } };
    const { body } = await ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", admin(), question);
    expect(body.status).toEqual({ allowed: true, reason: "by hand" });
    expect(outside.calls.find(({ path }) => path === "/access")?.authorization).toBe("Bearer ours");
  });

  test("the audit log says who did what, and the webhook gets the same", async () => {
    const object = { metadata: { name: "written" }, data: { a: "1" } };
    await ask("POST", "/api/v1/namespaces/default/configmaps", admin(), object);
    await ask("GET", "/refused", { token: "guess" });
    const created = auditLog().find((event) => event.objectRef?.name === "written");
    expect(created).toMatchObject({
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: "RequestResponse",
      stage: "ResponseComplete",
      requestURI: "/api/v1/namespaces/default/configmaps",
      verb: "create",
      user: { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] },
      sourceIPs: ["127.0.0.1"],
      objectRef: { resource: "configmaps", namespace: "default", name: "written", apiVersion: "v1" },
      responseStatus: { metadata: {}, code: 201 },
      requestObject: object,
      responseObject: { kind: "ConfigMap", metadata: { name: "written" }, data: { a: "1" } },
      annotations: { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" },
    });
    expect(created.responseObject.metadata.managedFields).toBeUndefined();
    const forbidden = auditLog().find((event) => event.objectRef?.resource === "secrets" && event.user.username === "lisa");
    expect(forbidden.responseStatus).toMatchObject({ status: "Failure", reason: "Forbidden", code: 403 });
    expect(forbidden.annotations["authorization.k8s.io/decision"]).toBe("forbid");
    const refused = auditLog().find((event) => event.requestURI === "/refused");
    expect(refused).toMatchObject({
      stage: "ResponseStarted",
      user: {},
      responseStatus: { code: 401, message: "Authentication failed, attempted: bearer" },
    });
    const delivered = (): Json[] => outside.bodiesOf("/audit").flatMap((list) => (list as { items: unknown[] }).items);
    await eventually(() => delivered().some(({ auditID }) => auditID === created.auditID), 5000, "the webhook gets it");
  });

  test("what the controllers do inside the process is written down too", async () => {
    const isWritten = (): boolean =>
      auditLog().some(
        ({ user, verb, objectRef }) =>
          user.username === "system:kube-controller-manager" && verb === "create" && objectRef.name === "kube-root-ca.crt",
      );
    await eventually(isWritten, 3000, "the controller's write");
  });

  test("a watch is written down when it begins and when it ends", async () => {
    await ask("GET", "/api/v1/configmaps?watch=true&timeoutSeconds=1", { token: "watching" });
    const stages = (): string[] =>
      auditLog()
        .filter((event) => event.user.username === "wanda")
        .map(({ stage }) => stage);
    await eventually(() => stages().length === 2, 3000, "the end is written");
    expect(stages()).toEqual(["ResponseStarted", "ResponseComplete"]);
  });
});
