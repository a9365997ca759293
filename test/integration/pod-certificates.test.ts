import { generateKeyPairSync, sign } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClusterTrustBundle, PodCertificateRequest } from "#api/generated/certificates/v1beta1.ts";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { silentLogger } from "#component-base/logging.ts";
import { RuntimeConfig } from "#kube-apiserver/runtime-config.ts";
import { startControllerManager } from "#kube-controller-manager/controller-manager.ts";
import { type Caller, type GuardedAnswer, GuardedServer } from "../support/guarded-server.ts";
import { eventually } from "../support/kubectl.ts";

const GROUP = "/apis/certificates.k8s.io/v1beta1";
const REQUESTS = `${GROUP}/namespaces/default/podcertificaterequests`;
const BUNDLES = `${GROUP}/clustertrustbundles`;

const node = (server: GuardedServer, name: string): Caller => server.user(`system:node:${name}`, ["system:nodes"]);

describe("certificates of pods, where they are served", () => {
  let server: GuardedServer;
  let manager: Awaited<ReturnType<typeof startControllerManager>>;
  const end = new AbortController();
  let one: Caller;
  let spec: Record<string, unknown>;

  beforeAll(async () => {
    const served = [
      "certificates.k8s.io/v1beta1/podcertificaterequests=true",
      "certificates.k8s.io/v1beta1/clustertrustbundles=true",
    ];
    server = await GuardedServer.start({ runtimeConfig: new RuntimeConfig(served) });
    const user = {
      name: "system:kube-controller-manager",
      uid: "",
      groups: ["system:masters", "system:authenticated"],
      extra: {},
    };
    manager = await startControllerManager({
      client: server.server.inProcessClient(user),
      clock: realClock,
      random: systemRandom,
      signal: end.signal,
      options: { rootCa: server.assets.ca.cert },
      logger: silentLogger,
      onInformerError: () => {},
    });
    one = node(server, "one");
    const account = "/api/v1/namespaces/default/serviceaccounts/default";
    await eventually(async () => (await ask(server.admin, "GET", account)).status === 200, 10_000, "the account");
    const uidOf = async (path: string): Promise<string> => (await ask(server.admin, "GET", path)).body.metadata.uid;
    const made = await server.made("/api/v1/nodes", { metadata: { name: "one" } });
    const pod = await server.made("/api/v1/namespaces/default/pods", {
      metadata: { name: "p" },
      spec: { nodeName: "one", containers: [{ name: "c", image: "i" }] },
    });
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    spec = {
      signerName: "example.com/signer",
      podName: "p",
      podUID: pod.metadata.uid,
      serviceAccountName: "default",
      serviceAccountUID: await uidOf(account),
      nodeName: "one",
      nodeUID: made.metadata.uid,
      pkixPublicKey: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
      proofOfPossession: sign(null, Buffer.from(pod.metadata.uid), privateKey).toString("base64"),
    };
  }, 30_000);
  afterAll(async () => {
    end.abort();
    await manager?.stop();
    await server?.stop();
  });

  const ask = (who: Caller, method: string, path: string, body?: object): Promise<GuardedAnswer> =>
    server.ask(who, method, path, body);
  const request = (name: string, more: object = {}): object => ({ metadata: { name }, spec: { ...spec, ...more } });

  test("a node asks for its own pods, reads its own requests, and decides none", async () => {
    const made = await ask(one, "POST", REQUESTS, request("r"));
    expect([made.status, made.text.slice(0, 400)]).toEqual([201, expect.anything()]);
    expect((await ask(one, "GET", `${REQUESTS}/r`)).status).toBe(200);
    expect((await ask(one, "GET", `${GROUP}/podcertificaterequests?fieldSelector=spec.nodeName%3Done`)).status).toBe(200);
    expect((await ask(one, "GET", `${GROUP}/podcertificaterequests`)).status).toBe(403);
    expect((await ask(node(server, "two"), "GET", `${REQUESTS}/r`)).status).toBe(403);
    const stolen = await ask(node(server, "two"), "POST", REQUESTS, request("s"));
    expect(stolen.status).toBe(403);
    expect(stolen.body.message).toContain('PodCertificateRequest.Spec.NodeName="one", which is not the requesting node "two"');
    expect((await ask(one, "PATCH", `${REQUESTS}/r/status`, { status: {} })).status).toBe(403);
    expect((await ask(one, "DELETE", `${REQUESTS}/r`)).status).toBe(403);
  });

  test("the API server's authority is published as a bundle, put right, and stays the only one", async () => {
    const signer = "kubernetes.io/kube-apiserver-serving";
    const list = async (): Promise<readonly ClusterTrustBundle[]> =>
      (await ask(server.admin, "GET", `${BUNDLES}?fieldSelector=spec.signerName%3D${encodeURIComponent(signer)}`)).body.items;
    const isRight = async (): Promise<boolean> => {
      const bundles = await list();
      return bundles.length === 1 && bundles[0]?.spec.trustBundle === server.assets.ca.cert;
    };
    await eventually(isRight, 10_000, "the bundle");
    const [bundle] = await list();
    const name = bundle?.metadata?.name ?? "";
    expect(name).toMatch(/^kubernetes\.io:kube-apiserver-serving:[0-9a-f]{24}$/);
    await server.made(BUNDLES, {
      metadata: { name: "kubernetes.io:kube-apiserver-serving:another" },
      spec: { signerName: signer, trustBundle: server.assets.frontProxyCa.cert },
    });
    await eventually(isRight, 10_000, "one bundle");
    expect((await ask(server.admin, "DELETE", `${BUNDLES}/${name}`)).status).toBe(200);
    await eventually(isRight, 10_000, "the bundle again");
    expect((await ask(one, "GET", BUNDLES)).status).toBe(200);
  });

  test("who signs needs a right to the signer", async () => {
    const status = {
      conditions: [
        {
          type: "Denied",
          status: "True",
          reason: "No",
          message: "no",
          lastTransitionTime: new Date(realClock.now()).toISOString().replace(/\.\d+Z/, "Z"),
        },
      ],
    };
    const path = `${REQUESTS}/decided`;
    const made: PodCertificateRequest = await ask(one, "POST", REQUESTS, request("decided")).then(({ body }) => body);
    expect(made.spec.signerName).toBe("example.com/signer");
    const signer = server.user("signer");
    const rules = [{ apiGroups: ["certificates.k8s.io"], resources: ["podcertificaterequests/status"], verbs: ["patch"] }];
    const role = async (name: string, more: readonly object[]): Promise<void> => {
      await server.made("/apis/rbac.authorization.k8s.io/v1/clusterroles", { metadata: { name }, rules: more });
      await server.made("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
        metadata: { name },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "signer" }],
      });
    };
    await role("writes", rules);
    const refused = await ask(signer, "PATCH", `${path}/status`, { status });
    expect(refused.status).toBe(422);
    expect(refused.body.message).toContain('User "signer" is not permitted to "sign" for signer "example.com/signer"');
    await role("signs", [
      { apiGroups: ["certificates.k8s.io"], resources: ["signers"], resourceNames: ["example.com/*"], verbs: ["sign"] },
    ]);
    const denied = await ask(signer, "PATCH", `${path}/status`, { status });
    expect([denied.status, denied.text.slice(0, 300)]).toEqual([200, expect.anything()]);
  });
});

test("where they are not served, nodes are told so", async () => {
  const server = await GuardedServer.start();
  try {
    const one = node(server, "one");
    for (const path of [`${REQUESTS}/r`, BUNDLES]) expect([403, 404]).toContain((await server.ask(one, "GET", path)).status);
    const roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    const role = `${roles}/system:controller:kube-apiserver-serving-clustertrustbundle-publisher`;
    expect((await server.ask(server.admin, "GET", role)).status).toBe(404);
  } finally {
    await server.stop();
  }
});
