import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { silentLogger } from "#component-base/logging.ts";
import { type ControlPlane, startControlPlane } from "#envtest/control-plane.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import { type ClusterAssets, ensureClusterAssets } from "#pki/cluster-assets.ts";
import type { KVStore } from "#storage/kv.ts";
import { eventually, hasKubectl, Kubectl } from "../support/kubectl.ts";
import { isBuilt, Program } from "../support/program.ts";
import { hasSlapd, SEARCHER_PASSWORD, Slapd, SUFFIX } from "../support/slapd.ts";
import { openTestStore } from "../support/store.ts";

const TTL_MS = 1500;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

const person = (uid: string, more = ""): string => `dn: uid=${uid},ou=people,${SUFFIX}
objectClass: inetOrgPerson
uid: ${uid}
cn: ${uid}
sn: ${uid}
userPassword: ${uid}-secret
${more}
`;
const PEOPLE = `dn: ou=people,${SUFFIX}
objectClass: organizationalUnit
ou: people

dn: ou=groups,${SUFFIX}
objectClass: organizationalUnit
ou: groups

${person("alice", "mail: alice@example.org\nseeAlso: cn=Night\\, Shift,ou=groups,dc=example,dc=org\nemployeeNumber: alices-own-token")}
${person("bob")}
${person("x)(uid=alice")}
${person("star*")}
dn: cn=developers,ou=groups,${SUFFIX}
objectClass: groupOfNames
cn: developers
member: uid=alice,ou=people,${SUFFIX}

dn: cn=system:masters,ou=groups,${SUFFIX}
objectClass: groupOfNames
cn: system:masters
member: uid=alice,ou=people,${SUFFIX}
member: uid=bob,ou=people,${SUFFIX}

dn: cn=unix,ou=groups,${SUFFIX}
objectClass: posixGroup
cn: unix
gidNumber: 5000
memberUid: bob
`;

const missing = [!hasSlapd && "slapd", !hasKubectl && "kubectl", !isBuilt && "dist/, which npm run build makes"].filter(Boolean);

describe.skipIf(missing.length > 0)(`kybern ldap-authn${missing.length > 0 ? ` (needs ${missing.join(", ")})` : ""}`, () => {
  const dir = mkdtempSync(join(tmpdir(), "kybern-ldap-"));
  let kv: KVStore;
  const now = realClock.now();
  const ca = createAuthority("webhook-ca", now);
  const apiServerClient = issueCertificate(ca, { commonName: "kubernetes-ldap-client", usages: ["client"] }, now);
  const otherClient = issueCertificate(ca, { commonName: "somebody", usages: ["client"] }, now);
  let slapd: Slapd;
  let webhook: Program;
  let webhookUrl: string;
  let assets: ClusterAssets;
  let plane: ControlPlane;
  const kubectls: Kubectl[] = [];

  const write = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text, { mode: 0o600 });
    return join(dir, name);
  };

  beforeAll(async () => {
    kv = await openTestStore();
    slapd = await Slapd.start(PEOPLE);
    const leaf = issueCertificate(ca, { commonName: "webhook", usages: ["server"], hosts: ["127.0.0.1"] }, now);
    write("ca.pem", ca.cert);
    write("webhook.pem", leaf.cert);
    write("webhook-key.pem", leaf.key);
    // The names that the guide gives these files.
    write("kubernetes-ldap-client.pem", apiServerClient.cert);
    write("kubernetes-ldap-client.key", apiServerClient.key);
    webhook = start(["--ldap-url", `ldaps://127.0.0.1:${slapd.tlsPort}`, "--token-kinds=signed,password,attribute"]);
    webhookUrl = await urlOf(webhook);
    assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange: "10.96.0.0/12" });
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
      components: [],
      authentication: {
        tokenAuthFile: write("token.csv", 's3cret,tom,7,"system:masters"\n'),
        tokenWebhook: {
          configFile: write(
            "ldap-webhook-config.yaml",
            `apiVersion: v1
kind: Config
clusters:
- name: ldap
  cluster: { server: "${webhookUrl}/authenticate", certificate-authority: ca.pem }
users:
- name: api-server
  user: { client-certificate: kubernetes-ldap-client.pem, client-key: kubernetes-ldap-client.key }
contexts:
- name: webhook
  context: { cluster: ldap, user: api-server }
current-context: webhook
`,
          ),
          version: "v1beta1",
          cacheTtlMs: TTL_MS,
        },
      },
    });
    const admin = kubectlOf("s3cret");
    for (const manifest of [
      binding("developers-edit", "edit", { kind: "Group", name: "developers" }),
      binding("bob-view", "view", { kind: "User", name: "bob" }),
    ]) {
      await admin.ok(["apply", "-f", "-"], JSON.stringify(manifest));
    }
  }, 60_000);

  afterAll(async () => {
    for (const kubectl of kubectls) kubectl[Symbol.dispose]();
    await plane?.stop();
    await kv.close();
    await webhook?.[Symbol.asyncDispose]();
    await slapd?.[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  function start(args: readonly string[]): Program {
    return new Program([
      "ldap-authn",
      "--secure-port=0",
      `--tls-cert-file=${join(dir, "webhook.pem")}`,
      `--tls-private-key-file=${join(dir, "webhook-key.pem")}`,
      `--client-ca-file=${join(dir, "ca.pem")}`,
      "--allowed-client-names=kubernetes-ldap-client",
      `--ldap-ca-file=${slapd.caFile}`,
      `--ldap-search-user-dn=${slapd.searcherDn}`,
      `--ldap-search-user-password-file=${slapd.searcherPasswordFile}`,
      `--ldap-base-dn=ou=people,${SUFFIX}`,
      `--ldap-group-base-dn=ou=groups,${SUFFIX}`,
      "--ldap-member-of-attribute=seeAlso",
      "--ldap-extra-attributes=mail",
      "--ldap-token-attribute=employeeNumber",
      "--ldap-timeout=2s",
      "--log-level=debug",
      ...args,
    ]);
  }

  async function urlOf(program: Program): Promise<string> {
    await eventually(() => program.stdout.includes("https://"), 20_000, "the webhook serves");
    return /https:\/\/\S+/.exec(program.stdout)?.[0] ?? "";
  }

  function kubectlOf(token: string): Kubectl {
    const kubeconfig = {
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      clusters: [
        {
          name: "c",
          cluster: { server: plane.apiServer.url, "certificate-authority-data": base64(assets.ca.cert) },
        },
      ],
      users: [{ name: "u", user: { token } }],
    };
    const kubectl = new Kubectl(JSON.stringify(kubeconfig));
    kubectls.push(kubectl);
    return kubectl;
  }

  interface Answer {
    readonly status: number;
    readonly text: string;
  }

  function ask(
    method: string,
    url: string,
    options: { readonly auth?: string; readonly body?: string; readonly client?: { cert: string; key: string } } = {},
  ): Promise<Answer> {
    const { auth, body, client } = options;
    return new Promise((resolve, reject) => {
      const sent = request(
        url,
        { method, ca: ca.cert, agent: false, ...client, ...(auth === undefined ? {} : { auth }) },
        (response) => {
          let text = "";
          response.on("data", (chunk) => {
            text += chunk;
          });
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  }

  async function review(url: string, token: string, version = "v1"): Promise<object> {
    const body = JSON.stringify({ apiVersion: `authentication.k8s.io/${version}`, kind: "TokenReview", spec: { token } });
    const { status, text } = await ask("POST", `${url}/authenticate`, { body, client: apiServerClient });
    expect(status).toBe(200);
    return JSON.parse(text);
  }
  const userOf = async (url: string, token: string): Promise<unknown> =>
    ((await review(url, token)) as { status: { user?: unknown } }).status.user;

  test("kubectl works with a token that was got for a password, and the directory's groups count in RBAC", async () => {
    const { status, text: token } = await ask("GET", `${webhookUrl}/ldapAuth`, { auth: "alice:alice-secret" });
    expect(status).toBe(200);
    expect(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).not.toContain("secret");
    const alice = kubectlOf(token);
    const who = await alice.json(["auth", "whoami"]);
    expect(who).toMatchObject({
      status: {
        userInfo: {
          username: "alice",
          uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
          groups: ["Night, Shift", "developers", "system:authenticated"],
          extra: { mail: ["alice@example.org"] },
        },
      },
    });
    await alice.ok(["create", "configmap", "made-by-alice", "--from-literal=a=1"]);
    expect((await alice.run(["get", "nodes"])).stderr).toContain('User "alice" cannot list resource "nodes"');
    const bob = kubectlOf(base64("bob:bob-secret"));
    expect(await bob.ok(["get", "configmaps"])).toContain("made-by-alice");
    expect((await bob.run(["delete", "configmap", "made-by-alice"])).stderr).toContain('User "bob" cannot delete');
  });

  test("names and passwords that are not right, and whatever else is sent, are nobody's", async () => {
    const wrong = kubectlOf(base64("alice:guess"));
    expect((await wrong.run(["get", "configmaps"])).stderr).toContain("must be logged in");
    expect((await ask("GET", `${webhookUrl}/ldapAuth`, { auth: "alice:guess" })).status).toBe(401);
    expect((await ask("GET", `${webhookUrl}/ldapAuth`)).status).toBe(401);
    const nobody = ["alice:", ":alice-secret", "al*:alice-secret", "*:alice-secret", "alice)(objectClass=*:alice-secret"];
    nobody.push("\\61lice:alice-secret", "nobody:alice-secret", `uid=alice,ou=people,${SUFFIX}:alice-secret`);
    for (const pair of nobody) expect([pair, await userOf(webhookUrl, base64(pair))]).toEqual([pair, undefined]);
    for (const token of ["", "guess", "a.b.c", "x".repeat(5000)]) expect(await userOf(webhookUrl, token)).toBeUndefined();
  });

  test("names with characters that filters are made of are names like others", async () => {
    expect(await userOf(webhookUrl, base64("x)(uid=alice:x)(uid=alice-secret"))).toMatchObject({
      username: "x)(uid=alice",
      groups: [],
    });
    expect(await userOf(webhookUrl, base64("star*:star*-secret"))).toMatchObject({ username: "star*" });
    expect(await userOf(webhookUrl, base64("ALICE:alice-secret"))).toMatchObject({ username: "alice" });
  });

  test("a token of a person's entry is the person's, letter by letter", async () => {
    expect(await userOf(webhookUrl, "alices-own-token")).toMatchObject({ username: "alice" });
    expect(await userOf(webhookUrl, "Alices-own-token")).toBeUndefined();
    expect(await userOf(webhookUrl, "*")).toBeUndefined();
  });

  test("both versions of TokenReview are answered, and only who has the right certificate may ask", async () => {
    for (const version of ["v1", "v1beta1"]) {
      expect(await review(webhookUrl, base64("bob:bob-secret"), version)).toMatchObject({
        apiVersion: `authentication.k8s.io/${version}`,
        kind: "TokenReview",
        status: { authenticated: true, user: { username: "bob", groups: [] } },
      });
    }
    const body = JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token: "t" } });
    const url = `${webhookUrl}/authenticate`;
    const statuses = [
      await ask("POST", url, { body }),
      await ask("POST", url, { body, client: otherClient }),
      await ask("POST", url, { body: "{", client: apiServerClient }),
      await ask("POST", url, { body: "x".repeat(70_000), client: apiServerClient }),
      await ask("GET", url, { client: apiServerClient }),
      await ask("GET", `${webhookUrl}/healthz`),
      await ask("GET", `${webhookUrl}/readyz`),
    ];
    expect(statuses.map(({ status }) => status)).toEqual([401, 401, 400, 413, 404, 200, 200]);
  });

  test("StartTLS serves as well, and memberUid with names", async () => {
    await using other = start([
      `--ldap-url=ldap://127.0.0.1:${slapd.port}`,
      "--ldap-start-tls",
      "--token-kinds=password",
      "--ldap-group-member-attributes=memberUid",
      "--ldap-group-member-value=name",
      "--username-prefix=ldap:",
      "--groups-prefix=ldap:",
    ]);
    const url = await urlOf(other);
    for (const _again of [1, 2]) {
      expect(await userOf(url, base64("bob:bob-secret"))).toMatchObject({ username: "ldap:bob", groups: ["ldap:unix"] });
      expect(await userOf(url, base64("bob:guess"))).toBeUndefined();
    }
    other.kill("SIGTERM");
    expect(await other.exited).toBe(0);
  });

  test("the directory's certificate must be of the given authority", async () => {
    await using other = start([`--ldap-url=ldaps://127.0.0.1:${slapd.tlsPort}`, `--ldap-ca-file=${join(dir, "ca.pem")}`]);
    const url = await urlOf(other);
    expect((await ask("GET", `${url}/readyz`)).status).toBe(503);
    expect((await ask("GET", `${url}/ldapAuth`, { auth: "alice:alice-secret" })).status).toBe(503);
  });

  test("what would be unsafe or cannot work is refused at the start", async () => {
    const needs = ["--tls-cert-file=a", "--tls-private-key-file=b", "--ldap-base-dn=dc=x"];
    const cases: [string[], string][] = [
      [["--ldap-url=ldap://h"], "without encryption"],
      [["--ldap-url=http://h"], "takes ldaps://"],
      [[], "--ldap-url and --ldap-base-dn are needed"],
      [["--ldap-url=ldaps://h", "--ldap-user-filter=(("], "RFC 4515"],
      [["--ldap-url=ldaps://h", "--token-kinds=signed,guess"], "takes some of"],
      [["--ldap-url=ldaps://h", "--token-kinds=attribute"], "needs --ldap-token-attribute"],
      [["--ldap-url=ldaps://h", "--ldap-search-user-dn=cn=s"], "go together"],
    ];
    for (const [args, text] of cases) {
      await using program = new Program(["ldap-authn", ...needs, ...args]);
      expect([args, await program.exited]).toEqual([args, 2]);
      expect(program.stderr).toContain(text);
    }
  });

  test("what the webhook said is remembered for the cache's time, when the directory is gone too", async () => {
    const { text: token } = await ask("GET", `${webhookUrl}/ldapAuth`, { auth: "alice:alice-secret" });
    const alice = kubectlOf(token);
    const bob = kubectlOf(base64("bob:bob-secret"));
    expect((await alice.run(["get", "--raw", "/api"])).code).toBe(0);
    const asked = performance.now();
    await slapd.suspend();
    const remembered = await alice.run(["get", "--raw", "/api"]);
    if (performance.now() - asked < TTL_MS / 2) expect(remembered.code).toBe(0);
    await eventually(async () => (await alice.run(["get", "--raw", "/api"])).stderr.includes("must be logged in"), 10_000, "401");
    expect((await bob.run(["get", "--raw", "/api"])).stderr).toContain("must be logged in");
    expect((await ask("GET", `${webhookUrl}/readyz`)).status).toBe(503);
    expect((await ask("GET", `${webhookUrl}/healthz`)).status).toBe(200);
    expect(await review(webhookUrl, token)).toMatchObject({
      status: { authenticated: false, error: "the directory cannot be asked" },
    });
    await slapd.resume();
    // That nobody could say whose token it is was not remembered.
    expect((await bob.run(["get", "--raw", "/api"])).code).toBe(0);
    expect((await alice.run(["get", "--raw", "/api"])).code).toBe(0);
  });

  test("a directory that keeps silent costs its users the timeout, and others nothing", async () => {
    const bob = kubectlOf(base64("bob:bob-secret"));
    expect((await bob.run(["get", "--raw", "/api"])).code).toBe(0);
    await realClock.sleep(TTL_MS);
    slapd.freeze();
    try {
      const began = performance.now();
      const refused = bob.run(["get", "--raw", "/api"]);
      const others = performance.now();
      expect((await kubectlOf("s3cret").run(["get", "--raw", "/api"])).code).toBe(0);
      expect(performance.now() - others).toBeLessThan(2000);
      expect((await refused).stderr).toContain("must be logged in");
      expect(performance.now() - began).toBeLessThan(10_000);
    } finally {
      slapd.thaw();
    }
    await eventually(async () => (await bob.run(["get", "--raw", "/api"])).code === 0, 10_000, "bob is let in again");
  });

  test("nothing that was logged holds a secret", () => {
    expect(webhook.stderr).toContain("a token is known");
    for (const secret of ["-secret", base64("bob:bob-secret"), SEARCHER_PASSWORD, "own-token", "eyJ"]) {
      expect(webhook.stderr).not.toContain(secret);
    }
  });
});

function binding(name: string, role: string, subject: { readonly kind: string; readonly name: string }): object {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", ...subject }],
  };
}
