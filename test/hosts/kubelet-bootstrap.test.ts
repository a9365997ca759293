import { X509Certificate } from "node:crypto";
import { existsSync, lstatSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { connect } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import type { Node } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { ResourceId } from "#client/client.ts";
import { parseKubeconfig } from "#client/kubeconfig.ts";
import { createRestClient, type RestClient } from "#client/rest-client.ts";
import { silentLogger } from "#component-base/logging.ts";
import { type ControlPlane, startControlPlane } from "#envtest/control-plane.ts";
import { type ClusterAssets, ensureClusterAssets } from "#pki/cluster-assets.ts";
import { renderKubeconfig } from "#pki/kubeconfig.ts";
import type { KVStore } from "#storage/kv.ts";
import { CONTAINERD_REASON, Containerd, containerdVersions } from "../support/containerd.ts";
import { ImageRegistry } from "../support/image-registry.ts";
import { eventually } from "../support/kubectl.ts";
import { KubeletProgram } from "../support/kubelet-program.ts";
import { busyboxImage } from "../support/oci-image.ts";
import { isBuilt, Program } from "../support/program.ts";
import { openTestStore } from "../support/store.ts";

const core = (resource: string): ResourceId => ({ group: "", version: "v1", resource });
const CSRS: ResourceId = { group: "certificates.k8s.io", version: "v1", resource: "certificatesigningrequests" };
const BINDINGS: ResourceId = { group: "rbac.authorization.k8s.io", version: "v1", resource: "clusterrolebindings" };
const RANGE = "10.96.0.0/12";
const TOKEN_ID = "abcdef";
const TOKEN_SECRET = "0123456789abcdef";
const [version] = containerdVersions;

describe.skipIf(version === undefined || !isBuilt)(`the kubelet's certificates (${CONTAINERD_REASON}, and dist/)`, () => {
  const registry = new ImageRegistry();
  let containerd: Containerd;
  let kv: KVStore;
  let assets: ClusterAssets;
  let plane: ControlPlane;
  let client: RestClient;
  let kubelet: KubeletProgram;
  let manager: Program | undefined;

  beforeAll(async () => {
    await registry.start();
    const pause = registry.add("pause", "1", busyboxImage({ Entrypoint: ["sleep", "2147483647"] }));
    if (version !== undefined) containerd = await Containerd.start(version, pause);
    kv = await openTestStore();
    assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange: RANGE });
    plane = await startControlPlane({
      kv,
      clock: realClock,
      random: systemRandom,
      logger: silentLogger,
      assets,
      bindAddress: "127.0.0.1",
      port: 0,
      serviceClusterIpRange: RANGE,
      nodes: 0,
      components: [],
      authentication: { enableBootstrapTokenAuth: true },
    });
    const { cert, key } = assets.admin;
    client = createRestClient({
      server: plane.apiServer.url,
      ca: assets.ca.cert,
      cert,
      key,
      userAgent: "test",
      clock: realClock,
    });
    // What kubeadm binds.
    await bind("kubelet-bootstrap", "system:node-bootstrapper", "system:bootstrappers");
    const approval = "system:certificates.k8s.io:certificatesigningrequests";
    await bind("node-autoapprove-bootstrap", `${approval}:nodeclient`, "system:bootstrappers");
    await bind("node-autoapprove-certificate-rotation", `${approval}:selfnodeclient`, "system:nodes");
    await client.create<object>(core("secrets"), "kube-system", {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: `bootstrap-token-${TOKEN_ID}` },
      type: "bootstrap.kubernetes.io/token",
      stringData: { "token-id": TOKEN_ID, "token-secret": TOKEN_SECRET, "usage-bootstrap-authentication": "true" },
    });
  }, 120_000);
  afterEach(async () => {
    await kubelet?.[Symbol.asyncDispose]();
    await manager?.[Symbol.asyncDispose]();
    manager = undefined;
  });
  afterAll(async () => {
    client?.close();
    await plane?.stop();
    await kv?.close();
    await containerd?.[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  }, 60_000);

  async function bind(name: string, role: string, group: string): Promise<void> {
    const rbac = "rbac.authorization.k8s.io";
    await client.create<object>(BINDINGS, "", {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: role },
      subjects: [{ apiGroup: rbac, kind: "Group", name: group }],
    });
  }

  function bootstrapKubeconfig(): string {
    const ca = Buffer.from(assets.ca.cert).toString("base64");
    return kubelet.write(
      "bootstrap.kubeconfig",
      `apiVersion: v1
kind: Config
clusters:
- name: c
  cluster: {server: "${plane.apiServer.url}", certificate-authority-data: ${ca}}
users:
- name: u
  user: {token: ${TOKEN_ID}.${TOKEN_SECRET}}
contexts:
- name: x
  context: {cluster: c, user: u}
current-context: x
`,
    );
  }

  /** Signs and approves, as the controller manager of a cluster; `life` is how long what it signs lasts. */
  function startManager(life: string): void {
    const { cert, key } = assets.admin;
    const server = plane.apiServer.url;
    const kubeconfig = kubelet.write(
      "manager.kubeconfig",
      renderKubeconfig({ server, user: "m", ca: assets.ca.cert, cert, key }),
    );
    manager = new Program([
      "kube-controller-manager",
      `--kubeconfig=${kubeconfig}`,
      `--cluster-signing-cert-file=${kubelet.write("signing.pem", assets.ca.cert)}`,
      `--cluster-signing-key-file=${kubelet.write("signing-key.pem", assets.ca.key)}`,
      `--cluster-signing-duration=${life}`,
      "--controllers=csrapproving,csrsigning",
      "--leader-elect=false",
      "--secure-port=0",
    ]);
  }

  const flags = (node: string, ...more: string[]): string[] => [
    `--bootstrap-kubeconfig=${bootstrapKubeconfig()}`,
    `--kubeconfig=${kubelet.path("kubelet.kubeconfig")}`,
    `--hostname-override=${node}`,
    `--client-ca-file=${kubelet.write("ca.pem", assets.ca.cert)}`,
    "--node-ip=",
    ...more,
  ];
  const isReady = (name: string): Promise<unknown> =>
    eventually(
      async () => {
        const { status } = await client.get<Node>(core("nodes"), "", name);
        return status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
      },
      30_000,
      `${name} is ready`,
    );
  const currentPath = (): string => `${kubelet.pki}/kubelet-client-current.pem`;
  const serial = (): string => new X509Certificate(readFileSync(currentPath())).serialNumber;

  test("a token becomes a certificate and a kubeconfig, once; the next start needs no token", async () => {
    kubelet = await KubeletProgram.prepare(containerd);
    startManager("1h");
    await kubelet.start(flags("boot-1"));
    await isReady("boot-1");
    const text = readFileSync(kubelet.path("kubelet.kubeconfig"), "utf8");
    const named: string[] = [];
    const context = parseKubeconfig(text, (file) => {
      named.push(file);
      return readFileSync(file, "utf8");
    });
    expect(new Set(named)).toEqual(new Set([currentPath()]));
    expect(context).toMatchObject({ server: plane.apiServer.url, ca: assets.ca.cert });
    expect(statSync(kubelet.path("kubelet.kubeconfig")).mode & 0o777).toBe(0o600);
    expect(lstatSync(currentPath()).isSymbolicLink()).toBe(true);
    expect(readlinkSync(currentPath())).toMatch(/\/kubelet-client-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.pem$/);
    expect(statSync(currentPath()).mode & 0o777).toBe(0o600);
    expect(existsSync(`${kubelet.pki}/kubelet-client.key.tmp`)).toBe(false);
    const certificate = new X509Certificate(readFileSync(currentPath()));
    expect(certificate.subject).toBe("O=system:nodes\nCN=system:node:boot-1");
    const requests = async (): Promise<readonly CertificateSigningRequest[]> =>
      (await client.list<CertificateSigningRequest>(CSRS, "")).items;
    const [request] = await requests();
    expect(request).toMatchObject({
      metadata: { name: expect.stringMatching(/^node-csr-[\w-]{43}$/) },
      spec: {
        signerName: "kubernetes.io/kube-apiserver-client-kubelet",
        usages: ["digital signature", "client auth"],
        username: `system:bootstrap:${TOKEN_ID}`,
      },
    });
    const before = serial();
    await kubelet.stop();
    await kubelet.start(flags("boot-1", "--bootstrap-kubeconfig=/nowhere"));
    await isReady("boot-1");
    expect([serial(), (await requests()).length]).toEqual([before, 1]);
  }, 60_000);

  test("a certificate that is about to end is renewed again and again, without a break", async () => {
    kubelet = await KubeletProgram.prepare(containerd);
    await kubelet.start(flags("boot-2", "--rotate-certificates", "--node-status-update-frequency=1s"));
    // It runs before there is anybody to sign its first certificate, and asks nothing meanwhile as nobody.
    await realClock.sleep(1_000);
    // So short that each is due at once.
    startManager("20s");
    await isReady("boot-2");
    const seen = new Set<string>();
    await eventually(() => seen.add(serial()).size >= 4, 30_000, "four certificates");
    const { username } = await whoIs(currentPath());
    expect(username).toBe("system:node:boot-2");
    expect(kubelet.said).not.toContain("Unauthorized");
  }, 60_000);

  test("the serving certificate is the cluster's, as soon as somebody approves it", async () => {
    kubelet = await KubeletProgram.prepare(containerd);
    startManager("1h");
    await kubelet.start(flags("boot-3", "--rotate-server-certificates"));
    await isReady("boot-3");
    const ofServing = async (): Promise<CertificateSigningRequest | undefined> =>
      (await client.list<CertificateSigningRequest>(CSRS, "")).items.find(
        ({ spec }) => spec.signerName === "kubernetes.io/kubelet-serving",
      );
    await eventually(ofServing);
    const pending = (await ofServing()) as CertificateSigningRequest;
    expect(pending.spec).toMatchObject({ username: "system:node:boot-3", usages: ["digital signature", "server auth"] });
    // Until then no handshake comes about: it has nothing to show.
    await expect(handshake("boot-3")).rejects.toThrow();
    const approved = { type: "Approved", status: "True", reason: "Test", message: "approved" };
    const name = pending.metadata.name ?? "";
    const status = { ...pending.status, conditions: [approved] };
    await client.update(CSRS, "", name, { ...pending, status } as CertificateSigningRequest, { subresource: "approval" });
    await eventually(() => handshake("boot-3"), 20_000, "it serves");
    expect(existsSync(`${kubelet.pki}/kubelet-server-current.pem`)).toBe(true);
    await expect(handshake("boot-9")).rejects.toThrow();
    const answer = await kubelet.secure("/healthz", { cert: assets.admin.cert, key: assets.admin.key });
    expect(answer).toMatchObject({ status: 200, body: "ok" });
  }, 60_000);

  async function whoIs(pem: string): Promise<{ username?: string }> {
    const text = readFileSync(pem, "utf8");
    const own = createRestClient({
      server: plane.apiServer.url,
      ca: assets.ca.cert,
      cert: text,
      key: text,
      userAgent: "test",
      clock: realClock,
    });
    const reviews = { group: "authentication.k8s.io", version: "v1", resource: "selfsubjectreviews" };
    try {
      const review = await own.create<{ status?: { userInfo?: { username?: string } } }>(reviews, "", {
        apiVersion: "authentication.k8s.io/v1",
        kind: "SelfSubjectReview",
      } as object);
      return review.status?.userInfo ?? {};
    } finally {
      own.close();
    }
  }

  /** Whether the kubelet proves, by the cluster's authority, to be that node. */
  function handshake(name: string): Promise<true> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port: kubelet.port, servername: name, ca: assets.ca.cert }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", reject);
    });
  }
});
