import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { certificateRequest } from "../support/certificate-request.ts";
import { eventually, Kubectl, kubectlOfVersion } from "../support/kubectl.ts";

/** The oldest and the newest of the clients that upstream's skew policy and this machine have. */
const VERSIONS = ["1.27", "1.33"];

let cluster: Cluster;
beforeAll(async () => {
  if (VERSIONS.some((version) => kubectlOfVersion(version) !== undefined)) {
    cluster = await startCluster({ nodes: 0, runtimeConfig: ["authentication.k8s.io/v1beta1=true"] });
  }
});
afterAll(() => cluster?.stop());

const API = "rbac.authorization.k8s.io";
const rule = (verbs: readonly string[], resources: readonly string[]): object => ({ apiGroups: [""], resources, verbs });

describe.each(VERSIONS)("kubectl %s", (version) => {
  const program = kubectlOfVersion(version);
  const skipped = program === undefined;
  const why = skipped ? ` (skipped: there is no kubectl ${version})` : "";
  const namespace = `auth-${version.replace(".", "-")}`;
  let kubectl: Kubectl;
  beforeAll(async () => {
    if (skipped) return;
    kubectl = new Kubectl(cluster.kubeconfig, program);
    await kubectl.ok(["create", "namespace", namespace]);
  });
  afterAll(() => kubectl?.[Symbol.dispose]());

  const manifests = (rules: readonly object[], subjects: readonly object[]): string =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: [
        { apiVersion: `${API}/v1`, kind: "Role", metadata: { name: "r", namespace }, rules },
        {
          apiVersion: `${API}/v1`,
          kind: "RoleBinding",
          metadata: { name: "b", namespace },
          roleRef: { apiGroup: API, kind: "Role", name: "r" },
          subjects,
        },
      ],
    });
  const user = (name: string): object => ({ apiGroup: API, kind: "User", name });
  const reconcile = (manifest: string, ...flags: string[]): Promise<string> =>
    kubectl.ok(["auth", "reconcile", "-f", "-", ...flags], manifest);
  const rulesNow = async (): Promise<object[]> =>
    ((await kubectl.json(["get", "role", "r", "-n", namespace])) as unknown as { rules: object[] }).rules;
  const subjectsNow = async (): Promise<object[]> =>
    ((await kubectl.json(["get", "rolebinding", "b", "-n", namespace])) as unknown as { subjects: object[] }).subjects;

  test.skipIf(skipped)(`auth reconcile adds what is missing, and takes away what is told${why}`, async () => {
    const get = rule(["get"], ["pods"]);
    const list = rule(["list"], ["configmaps"]);
    expect(await reconcile(manifests([get], [user("a")]), "--dry-run=client")).toContain(`${API}/r reconciled (dry run)`);
    expect((await kubectl.run(["get", "role", "r", "-n", namespace])).stderr).toContain("NotFound");
    expect(await reconcile(manifests([get], [user("a")]))).toContain(`role.${API}/r reconciled`);
    await reconcile(manifests([list], [user("b")]));
    expect(await rulesNow()).toEqual([get, list]);
    expect(await subjectsNow()).toEqual([user("a"), user("b")]);
    await reconcile(manifests([list], [user("b")]), "--remove-extra-permissions", "--remove-extra-subjects");
    expect(await rulesNow()).toEqual([list]);
    expect(await subjectsNow()).toEqual([user("b")]);
    // A binding's role cannot be changed: reconcile makes the binding anew.
    const uid = ["get", "rolebinding", "b", "-n", namespace, "-o=jsonpath={.metadata.uid}"];
    const before = await kubectl.ok(uid);
    const other = manifests([list], [user("b")]).replace('"kind":"Role","name":"r"', '"kind":"ClusterRole","name":"view"');
    expect(await reconcile(other)).toContain("reconciled");
    expect(await kubectl.ok(uid)).not.toBe(before);
  });

  test.skipIf(skipped)(`auth reconcile gives nobody more than who asks has${why}`, async () => {
    const role = { apiVersion: `${API}/v1`, kind: "Role", metadata: { name: "more", namespace }, rules: [rule(["*"], ["*"])] };
    const refused = await kubectl.run(
      ["auth", "reconcile", "-f", "-", "--as=editor", "--as-group=editors"],
      JSON.stringify(role),
    );
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("forbidden");
  });

  test.skipIf(skipped)(`auth can-i --list tells what a user may do in a namespace${why}`, async () => {
    await kubectl.ok([
      "create",
      "role",
      "named",
      "--verb=get,update",
      "--resource=secrets",
      "--resource-name=one",
      "-n",
      namespace,
    ]);
    await kubectl.ok(["create", "rolebinding", "named", "--role=named", "--user=carla", "-n", namespace]);
    const listed = await kubectl.ok(["auth", "can-i", "--list", "-n", namespace, "--as=carla", "--no-headers"]);
    const rows = listed
      .trimEnd()
      .split("\n")
      .map((line) => line.trim().replaceAll(/\s{2,}/g, " "));
    expect(rows).toContain("secrets [] [one] [get update]");
    expect(rows).toContain("selfsubjectaccessreviews.authorization.k8s.io [] [] [create]");
    expect(rows).toContain("selfsubjectreviews.authentication.k8s.io [] [] [create]");
    expect(rows).toContain("[/healthz] [] [get]");
    const can = async (...words: string[]): Promise<string> =>
      (await kubectl.run(["auth", "can-i", ...words, "-n", namespace, "--as=carla"])).stdout.trim();
    expect(await can("get", "secrets/one")).toBe("yes");
    expect(await can("get", "secrets/two")).toBe("no");
    expect(await can("get", "/healthz")).toBe("yes");
    expect(await can("get", "/metrics")).toBe("no");
    expect(await can("get", "pods", "--subresource=log")).toBe("no");
  });

  test.skipIf(skipped)(`auth whoami tells who asks, and who is played${why}`, async () => {
    expect(await kubectl.ok(["auth", "whoami"])).toMatch(
      /Username\s+kubernetes-admin\nGroups\s+\[system:masters system:authenticated\]/,
    );
    const played = ["--as=dora", "--as-group=g1", "--as-uid=77"];
    const { status } = (await kubectl.json(["auth", "whoami", ...played])) as unknown as { status: { userInfo: object } };
    expect(status.userInfo).toEqual({ username: "dora", uid: "77", groups: ["g1", "system:authenticated"] });
  });

  test.skipIf(skipped)(`certificate approve and deny decide, once${why}`, async () => {
    const csr = (name: string): string =>
      JSON.stringify({
        apiVersion: "certificates.k8s.io/v1",
        kind: "CertificateSigningRequest",
        metadata: { name: `${namespace}-${name}` },
        spec: {
          request: certificateRequest({ commonName: "emil" }).request,
          signerName: "kubernetes.io/kube-apiserver-client",
          usages: ["client auth"],
        },
      });
    const phase = async (name: string): Promise<string> =>
      (await kubectl.ok(["get", "csr", `${namespace}-${name}`, "--no-headers"])).trim().split(/\s+/).at(-1) ?? "";
    for (const name of ["yes", "no"]) await kubectl.ok(["create", "-f", "-"], csr(name));
    expect(await phase("yes")).toBe("Pending");
    expect(await kubectl.ok(["certificate", "approve", `${namespace}-yes`])).toMatch(/approved\n$/);
    expect(await kubectl.ok(["certificate", "deny", `${namespace}-no`])).toMatch(/denied\n$/);
    await eventually(async () => (await phase("yes")) === "Approved,Issued", 10_000, "it is signed");
    expect(await phase("no")).toBe("Denied");
    const undone = await kubectl.run(["certificate", "approve", `${namespace}-no`]);
    expect(undone.code).not.toBe(0);
  });
});
