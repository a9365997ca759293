import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";
import { startWatch } from "../support/watch.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const CORE = "/api/v1/namespaces/default";
const REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const REVIEWS = "/apis/authorization.k8s.io/v1";

/** Of node `n1`; DER. */
const CERTIFICATE_REQUEST =
  "MIIBEjCBuAIBADAwMRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMxFzAVBgNVBAMMDnN5c3RlbTpub2RlOm4xMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2le+5jPTyj0srZt8YvpfDwf0TWr3LB9hquUaQZhwyKsdUs4uh46F0l9FT8ONlEY6sxGsmfvtINmoK+KMzs5KaKAmMCQGCSqGSIb3DQEJDjEXMBUwEwYDVR0RBAwwCoICbjGHBAoAAAEwCgYIKoZIzj0EAwIDSQAwRgIhAI5r85mqENCj2FBi8beF7PzWcnNu1PZICIJA5qvf/1g/AiEAi6Qk2ZghR8YTJYsnXGp3D/Ukbb21q7PryR3NUyIrtYo=";
const PEM = Buffer.from(
  `-----BEGIN CERTIFICATE REQUEST-----\n${CERTIFICATE_REQUEST}\n-----END CERTIFICATE REQUEST-----\n`,
).toString("base64");

describe("authentication and authorization", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1 });
    ask = asker(cluster);
  });
  afterAll(() => cluster?.stop());
  const claims = (token: string): Any => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

  test("signing requests go through every operation, approval and status among them", async () => {
    const spec = {
      request: PEM,
      signerName: "example.com/test",
      usages: ["digital signature", "key encipherment", "server auth"],
      expirationSeconds: 3600,
    };
    const template = { metadata: { generateName: "csr-", labels: { test: "csr" } }, spec };
    const names: string[] = [];
    for (let i = 0; i < 3; i++) names.push((await ask("POST", REQUESTS, template)).body.metadata.name);
    const path = `${REQUESTS}/${names[0]}`;
    const chosen = `${REQUESTS}?labelSelector=test%3Dcsr`;
    const list = (await ask("GET", chosen)).body;
    expect(list.items).toHaveLength(3);
    expect(list.items[0].spec).toMatchObject({
      username: "kubernetes-admin",
      groups: expect.arrayContaining(["system:authenticated"]),
      expirationSeconds: 3600,
    });
    using watching = await startWatch(cluster, `${chosen}&watch=true&resourceVersion=${list.metadata.resourceVersion}`);
    await ask("PATCH", path, { metadata: { annotations: { patched: "true" } } });
    const updated = (await ask("GET", path)).body;
    expect(
      (
        await ask("PUT", path, {
          ...updated,
          metadata: { ...updated.metadata, annotations: { patched: "true", updated: "true" } },
        })
      ).status,
    ).toBe(200);
    await vi.waitFor(
      () => expect(watching.events.at(-1)?.object.metadata.annotations).toEqual({ patched: "true", updated: "true" }),
      { timeout: 20_000 },
    );
    expect((await ask("GET", `${path}/approval`)).body.metadata.name).toBe(names[0]);
    const condition = { type: "ApprovalPatch", status: "True", reason: "ApprovalPatch" };
    expect(
      (await ask("PATCH", `${path}/approval`, { status: { conditions: [condition] } })).body.status.conditions,
    ).toMatchObject([condition]);
    const approving = (await ask("GET", path)).body;
    approving.status.conditions.push({ type: "Approved", status: "True", reason: "Tested", message: "set by a test" });
    expect((await ask("PUT", `${path}/approval`, approving)).body.status.conditions).toHaveLength(2);
    expect((await ask("GET", `${path}/status`)).body.metadata.name).toBe(names[0]);
    const certificate = Buffer.from(cluster.credentials.cert).toString("base64");
    expect(
      (await ask("PATCH", `${path}/status`, { metadata: { annotations: { status: "patched" } }, status: { certificate } })).body
        .status.certificate,
    ).toBe(certificate);
    const ready = (await ask("GET", path)).body;
    ready.status.conditions.push({ type: "StatusUpdate", status: "True", reason: "StatusUpdate" });
    expect((await ask("PUT", `${path}/status`, ready)).body.status.conditions).toHaveLength(3);
    expect((await ask("DELETE", path)).status).toBe(200);
    expect((await ask("DELETE", chosen)).status).toBe(200);
    expect((await ask("GET", chosen)).body.items).toEqual([]);
  });

  test("reviews say of a user what happens to the user's requests", async () => {
    const user = "system:serviceaccount:default:reviewed";
    const resourceAttributes = { namespace: "default", verb: "list", resource: "configmaps", version: "v1" };
    const reviewed = async (): Promise<boolean[]> => {
      const global = await ask("POST", `${REVIEWS}/subjectaccessreviews`, { spec: { user, resourceAttributes } });
      const local = await ask("POST", `${REVIEWS}/namespaces/default/localsubjectaccessreviews`, {
        metadata: { namespace: "default" },
        spec: { user, resourceAttributes },
      });
      const own = await ask(
        "POST",
        `${REVIEWS}/selfsubjectaccessreviews`,
        { spec: { resourceAttributes } },
        { "impersonate-user": user },
      );
      const direct = await ask("GET", `${CORE}/configmaps`, undefined, { "impersonate-user": user });
      return [global.body.status.allowed, local.body.status.allowed, own.body.status.allowed, direct.status === 200];
    };
    expect(await reviewed()).toEqual([false, false, false, false]);
    const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    await ask("POST", `${rbac}/roles`, {
      metadata: { name: "reviewed" },
      rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["list"] }],
    });
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reviewed" };
    await ask("POST", `${rbac}/rolebindings`, {
      metadata: { name: "reviewed" },
      roleRef,
      subjects: [{ kind: "ServiceAccount", name: "reviewed" }],
    });
    await vi.waitFor(async () => expect(await reviewed()).toEqual([true, true, true, true]), { timeout: 20_000 });
  });

  test("a user sees who it is", async () => {
    const headers = { "impersonate-user": "jane", "impersonate-group": "system:authenticated", "impersonate-extra-team": "a" };
    const answer = await ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, headers);
    expect(answer.body.status.userInfo).toEqual({ username: "jane", groups: ["system:authenticated"], extra: { team: ["a"] } });
  });

  test("service accounts go through every operation, and have tokens that say whose they are", async () => {
    const accounts = `${CORE}/serviceaccounts`;
    const made = await ask("POST", accounts, {
      metadata: { name: "sa", labels: { test: "sa" } },
      automountServiceAccountToken: true,
    });
    expect(
      (await ask("PATCH", `${accounts}/sa`, { automountServiceAccountToken: false })).body.automountServiceAccountToken,
    ).toBe(false);
    const { body } = await ask("GET", `${accounts}/sa`);
    expect(
      (await ask("PUT", `${accounts}/sa`, { ...body, automountServiceAccountToken: true })).body.automountServiceAccountToken,
    ).toBe(true);
    expect((await ask("GET", "/api/v1/serviceaccounts?labelSelector=test%3Dsa")).body.items).toHaveLength(1);
    const { status } = (await ask("POST", `${accounts}/sa/token`, { spec: { audiences: ["mine"], expirationSeconds: 600 } }))
      .body;
    expect(claims(status.token)).toMatchObject({
      aud: ["mine"],
      sub: "system:serviceaccount:default:sa",
      "kubernetes.io": { namespace: "default", serviceaccount: { name: "sa", uid: made.body.metadata.uid } },
    });
    const review = { spec: { token: status.token, audiences: ["mine"] } };
    const known = await ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review);
    expect(known.body.status).toMatchObject({
      authenticated: true,
      user: { username: "system:serviceaccount:default:sa" },
      audiences: ["mine"],
    });
    expect((await ask("DELETE", `${accounts}?labelSelector=test%3Dsa`)).status).toBe(200);
    await vi.waitFor(
      async () => {
        expect(
          (await ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)).body.status.authenticated,
        ).toBeUndefined();
      },
      { timeout: 20_000 },
    );
  });

  test("each namespace has the authority's certificate, which comes back when somebody takes or changes it", async () => {
    await ask("POST", "/api/v1/namespaces", { metadata: { name: "rooted" } });
    const path = "/api/v1/namespaces/rooted/configmaps/kube-root-ca.crt";
    const isThere = () =>
      vi.waitFor(
        async () =>
          expect((await ask("GET", path)).body.data).toEqual({ "ca.crt": expect.stringContaining("BEGIN CERTIFICATE") }),
        { timeout: 10_000 },
      );
    await isThere();
    await ask("DELETE", path);
    await isThere();
    await ask("PATCH", path, { data: { "ca.crt": "", "foo.crt": "bar" } });
    await isThere();
  });

  test.each([
    [true, undefined, true],
    [true, false, false],
    [true, true, true],
    [false, undefined, false],
    [false, true, true],
    [undefined, undefined, true],
    [undefined, false, false],
  ])("a token is mounted where the account says %j and the pod %j: %j", async (account, pod, mounted) => {
    const name = `mount-${account}-${pod}`;
    await ask("POST", `${CORE}/serviceaccounts`, { metadata: { name }, automountServiceAccountToken: account });
    const spec = {
      serviceAccountName: name,
      schedulerName: "none",
      automountServiceAccountToken: pod,
      containers: [{ name: "c", image: "i" }],
    };
    const made = (await ask("POST", `${CORE}/pods`, { metadata: { name }, spec })).body;
    const mounts = made.spec.containers[0].volumeMounts?.map(({ mountPath }: Any) => mountPath) ?? [];
    expect(mounts).toEqual(mounted ? ["/var/run/secrets/kubernetes.io/serviceaccount"] : []);
  });

  test("who issues tokens can be found, with the keys", async () => {
    const found = (await ask("GET", "/.well-known/openid-configuration")).body;
    const { body } = await ask("POST", `${CORE}/serviceaccounts/default/token`, { spec: {} });
    expect(found).toMatchObject({
      issuer: claims(body.status.token).iss,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
    });
    const { keys } = (await ask("GET", "/openid/v1/jwks")).body;
    const { kid } = JSON.parse(Buffer.from(body.status.token.split(".")[0], "base64url").toString());
    expect(keys.map((key: Any) => key.kid)).toContain(kid);
  });
});
