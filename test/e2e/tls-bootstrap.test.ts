import { createHmac, X509Certificate } from "node:crypto";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { silentLogger } from "#component-base/logging.ts";
import { type ControlPlane, startControlPlane } from "#envtest/control-plane.ts";
import type { RequestedSubject } from "#pki/certificate-request.ts";
import { type ClusterAssets, ensureClusterAssets } from "#pki/cluster-assets.ts";
import { renderKubeconfig } from "#pki/kubeconfig.ts";
import type { KVStore } from "#storage/kv.ts";
import { certificateRequest } from "../support/certificate-request.ts";
import { eventually, hasKubectl, Kubectl } from "../support/kubectl.ts";
import { openTestStore } from "../support/store.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Json = any;

/** With whom a request comes. */
interface Who {
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
}

const CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const SECRETS = "/api/v1/namespaces/kube-system/secrets";
const TOKEN = "abcdef.0123456789abcdef";
const KUBECONFIG = "apiVersion: v1\nkind: Config\nclusters: []\n";
const NODE_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";
const NODE_USAGES = ["digital signature", "client auth"];
const nodeSubject = (name: string): RequestedSubject => ({ commonName: `system:node:${name}`, organizations: ["system:nodes"] });

describe.skipIf(!hasKubectl)("TLS bootstrap of a kubelet (needs kubectl)", () => {
  let kv: KVStore;
  let assets: ClusterAssets;
  let plane: ControlPlane;
  let kubectl: Kubectl;
  let node: Required<Pick<Who, "cert" | "key">>;

  beforeAll(async () => {
    kv = await openTestStore();
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
      components: ["kube-controller-manager"],
      authentication: { enableBootstrapTokenAuth: true },
    });
    const { cert, key } = assets.admin;
    kubectl = new Kubectl(
      renderKubeconfig({ server: plane.apiServer.url, user: "kubernetes-admin", ca: assets.ca.cert, cert, key }),
    );
    // What kubeadm binds.
    const bind = (name: string, role: string, group: string): Promise<string> =>
      kubectl.ok(["create", "clusterrolebinding", name, `--clusterrole=${role}`, `--group=${group}`]);
    await bind("kubelet-bootstrap", "system:node-bootstrapper", "system:bootstrappers");
    const approval = "system:certificates.k8s.io:certificatesigningrequests";
    await bind("node-autoapprove-bootstrap", `${approval}:nodeclient`, "system:bootstrappers");
    await bind("node-autoapprove-certificate-rotation", `${approval}:selfnodeclient`, "system:nodes");
  }, 60_000);
  afterAll(async () => {
    kubectl?.[Symbol.dispose]();
    await plane?.stop();
    await kv.close();
  });

  function ask(method: string, path: string, who: Who, body?: unknown): Promise<{ status: number; body: Json }> {
    const { token, ...pair } = who;
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(
        `${plane.apiServer.url}${path}`,
        { method, ca: assets.ca.cert, agent: false, headers, ...pair },
        (response) => {
          let text = "";
          response.on("data", (chunk) => {
            text += chunk;
          });
          response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
        },
      );
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  const admin = (): Who => ({ cert: assets.admin.cert, key: assets.admin.key });
  const whoIs = async (who: Who): Promise<Json> =>
    (await ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", who, {})).body.status?.userInfo;

  async function submit(
    name: string,
    who: Who,
    subject: RequestedSubject,
    spec: object,
  ): Promise<{ key: string; status: number }> {
    const { key, request: pkcs10 } = certificateRequest(subject);
    const body = { metadata: { name }, spec: { request: pkcs10, ...spec } };
    return { key, status: (await ask("POST", CSRS, who, body)).status };
  }

  async function issued(name: string): Promise<string> {
    return eventually(
      async () => Buffer.from((await ask("GET", `${CSRS}/${name}`, admin())).body.status?.certificate ?? "", "base64").toString(),
      10_000,
      `${name} is signed`,
    );
  }
  const conditionsOf = async (name: string): Promise<string[]> =>
    ((await ask("GET", `${CSRS}/${name}`, admin())).body.status?.conditions ?? []).map((c: { type: string }) => c.type);
  const lifeSeconds = (cert: string): number =>
    Math.round((Date.parse(new X509Certificate(cert).validTo) - realClock.now()) / 1000);

  test("cluster-info is signed for who knows the token", async () => {
    await kubectl.ok(["create", "-f", "-"], tokenSecret("abcdef", { "usage-bootstrap-signing": "true" }));
    await kubectl.ok(["create", "configmap", "cluster-info", "-n", "kube-public", `--from-literal=kubeconfig=${KUBECONFIG}`]);
    const path = "/api/v1/namespaces/kube-public/configmaps/cluster-info";
    const jws: string = await eventually(async () => (await ask("GET", path, admin())).body.data["jws-kubeconfig-abcdef"]);
    const [header = "", payload, signature] = jws.split(".");
    expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({ alg: "HS256", kid: "abcdef" });
    expect(payload).toBe("");
    const signed = `${header}.${Buffer.from(KUBECONFIG).toString("base64url")}`;
    expect(signature).toBe(createHmac("sha256", "0123456789abcdef").update(signed).digest("base64url"));
  });

  test("a bootstrap token gets a node its first client certificate, for as long as was asked", async () => {
    expect(await whoIs({ token: TOKEN })).toMatchObject({ username: "system:bootstrap:abcdef" });
    const spec = { signerName: NODE_SIGNER, usages: NODE_USAGES, expirationSeconds: 3600 };
    const { key, status } = await submit("first", { token: TOKEN }, nodeSubject("n1"), spec);
    expect(status).toBe(201);
    const cert = await issued("first");
    node = { cert, key };
    expect(lifeSeconds(cert)).toBeGreaterThan(3500);
    expect(lifeSeconds(cert)).toBeLessThanOrEqual(3600);
    expect(await whoIs(node)).toMatchObject({ username: "system:node:n1", groups: ["system:nodes", "system:authenticated"] });
    const nodeObject = (name: string): object => ({ metadata: { name } });
    expect((await ask("POST", "/api/v1/nodes", node, nodeObject("n1"))).status).toBe(201);
    expect((await ask("POST", "/api/v1/nodes", node, nodeObject("n2"))).status).toBe(403);
    // A token is for the first certificate alone.
    expect((await ask("POST", "/api/v1/nodes", { token: TOKEN }, nodeObject("n1"))).status).toBe(403);
  });

  test("the node renews its own certificate, and no other's", async () => {
    const spec = { signerName: NODE_SIGNER, usages: NODE_USAGES };
    const { key } = await submit("renewed", node, nodeSubject("n1"), spec);
    await submit("of-another", node, nodeSubject("n2"), spec);
    const cert = await issued("renewed");
    expect(lifeSeconds(cert)).toBeGreaterThan(364 * 24 * 3600);
    expect(await whoIs({ cert, key })).toMatchObject({ username: "system:node:n1" });
    expect(new X509Certificate(cert).serialNumber).not.toBe(new X509Certificate(node.cert).serialNumber);
    node = { cert, key };
    // Those that came later are done: this one was looked at too.
    await submit("renewed-again", node, nodeSubject("n1"), spec);
    await issued("renewed-again");
    expect(await conditionsOf("of-another")).toEqual([]);
  });

  test("a serving certificate waits for kubectl certificate approve, and serves", async () => {
    const hosts = ["n1", "127.0.0.1"];
    const spec = { signerName: "kubernetes.io/kubelet-serving", usages: ["digital signature", "server auth"] };
    const { key, status } = await submit("serving", node, { ...nodeSubject("n1"), hosts }, spec);
    expect(status).toBe(201);
    expect(await kubectl.ok(["get", "csr", "serving"])).toMatch(
      /kubernetes.io\/kubelet-serving\s+system:node:n1\s+<none>\s+Pending/,
    );
    const pending = (await ask("GET", `${CSRS}/serving`, admin())).body;
    const approved = { ...pending, status: { conditions: [{ type: "Approved", status: "True", reason: "Me" }] } };
    expect((await ask("PUT", `${CSRS}/serving/approval`, node, approved)).status).toBe(403);
    expect(await kubectl.ok(["certificate", "approve", "serving"])).toContain(
      "certificatesigningrequest.certificates.k8s.io/serving approved",
    );
    const cert = await issued("serving");
    expect(await kubectl.ok(["get", "csr", "serving"])).toContain("Approved,Issued");
    const server = createServer({ cert, key }, (_request, response) => response.end("a node"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      for (const host of hosts) expect(await isTrusted(port, host)).toBe(true);
      expect(await isTrusted(port, "n2")).toBe(false);
    } finally {
      server.close();
      server.closeAllConnections();
    }
    // It is for serving: nobody gets in with it.
    expect(await whoIs({ cert, key })).toBeUndefined();
  });

  function isTrusted(port: number, host: string): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ port, host: "127.0.0.1", ca: assets.ca.cert, servername: host === "127.0.0.1" ? "" : host });
      socket.once("secureConnect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
  }

  test.each([
    ["a name that is not a node's", NODE_SIGNER, { commonName: "n1", organizations: ["system:nodes"] }, NODE_USAGES],
    ["usages of a server", NODE_SIGNER, nodeSubject("n1"), ["digital signature", "server auth"]],
    [
      "a serving certificate without names",
      "kubernetes.io/kubelet-serving",
      nodeSubject("n1"),
      ["digital signature", "server auth"],
    ],
  ])("%s is not signed, though it was approved", async (what, signerName, subject, usages) => {
    const name = what.replaceAll(/[^a-z]+/g, "-");
    await submit(name, admin(), subject, { signerName, usages });
    await kubectl.ok(["certificate", "approve", name]);
    await eventually(async () => (await conditionsOf(name)).includes("Failed"), 10_000, "the signer refuses");
    expect((await ask("GET", `${CSRS}/${name}`, admin())).body.status.certificate).toBeUndefined();
  });

  test("nobody is made an administrator by a certificate", async () => {
    const spec = { signerName: "kubernetes.io/kube-apiserver-client", usages: ["client auth"] };
    const masters = { commonName: "eve", organizations: ["system:masters"] };
    expect((await submit("masters", admin(), masters, spec)).status).toBe(403);
  });

  test("a token whose time is over lets nobody in, and is cleared away", async () => {
    const expiration = new Date(realClock.now() + 2000).toISOString().replace(/\.\d+Z/, "Z");
    await kubectl.ok(["create", "-f", "-"], tokenSecret("fedcba", { expiration }));
    await eventually(
      async () => (await ask("GET", `${SECRETS}/bootstrap-token-fedcba`, admin())).status === 404,
      10_000,
      "it goes",
    );
    expect(await whoIs({ token: "fedcba.0123456789abcdef" })).toBeUndefined();
    expect(await whoIs({ token: TOKEN })).toBeDefined();
  });
});

function tokenSecret(id: string, more: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: `bootstrap-token-${id}`, namespace: "kube-system" },
    type: "bootstrap.kubernetes.io/token",
    stringData: {
      "token-id": id,
      "token-secret": "0123456789abcdef",
      "usage-bootstrap-authentication": "true",
      ...more,
    },
  });
}
