import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { type Answered, asker } from "../support/ask.ts";

const EXTENSIONS = "/apis/extensions/v1beta1/namespaces/default";
const APPS = "/apis/apps/v1/namespaces/default";

let cluster: Cluster;
let ask: ReturnType<typeof asker>;
beforeAll(async () => {
  cluster = await startCluster({
    nodes: 1,
    runtimeConfig: [
      // As guides of 2016 and 2017 write them.
      "extensions/v1beta1=true",
      "extensions/v1beta1/networkpolicies=true",
      "extensions/v1beta1/thirdpartyresources=true",
      "rbac.authorization.k8s.io/v1alpha1",
      "authentication.k8s.io/v1beta1=true",
      "apps/v1beta1=true",
      "policy/v1beta1=true",
      "resource.k8s.io/v1beta1=true",
      "apiextensions.k8s.io/v1beta1=true",
      "batch/v2alpha1=true",
    ],
  });
  ask = asker(cluster);
});
afterAll(() => cluster.stop());

const template = { metadata: { labels: { app: "a" } }, spec: { containers: [{ name: "c", image: "i" }] } };

async function made(path: string, body: object): Promise<Answered> {
  const answer = await ask("POST", path, body);
  expect(answer, answer.text).toMatchObject({ status: 201 });
  return answer;
}

test("what is asked for is in discovery and OpenAPI, and nothing more", async () => {
  const { body } = await ask("GET", "/apis/extensions/v1beta1");
  const names = (body.resources as { name: string }[]).map(({ name }) => name).sort();
  expect(names).toEqual([
    "daemonsets",
    "daemonsets/status",
    "deployments",
    "deployments/rollback",
    "deployments/scale",
    "deployments/status",
    "ingresses",
    "ingresses/status",
    "networkpolicies",
    "replicasets",
    "replicasets/scale",
    "replicasets/status",
    "thirdpartyresources",
  ]);
  const v3 = await ask("GET", "/openapi/v3/apis/extensions/v1beta1");
  expect(Object.keys(v3.body.components.schemas)).toContain("io.k8s.api.extensions.v1beta1.Deployment");
  expect((await ask("GET", "/apis/apps/v1beta2")).status).toBe(404);
  const groups = (await ask("GET", "/apis")).body.groups as { name: string; preferredVersion: { version: string } }[];
  expect(groups.find(({ name }) => name === "apps")?.preferredVersion.version).toBe("v1");
  // Clients that look for deployments by name alone find today's.
  expect(groups.findIndex(({ name }) => name === "apps")).toBeLessThan(groups.findIndex(({ name }) => name === "extensions"));
});

test("a Deployment has its version's defaults, a warning, and is one object with today's", async () => {
  const created = await made(`${EXTENSIONS}/deployments`, { metadata: { name: "old" }, spec: { template } });
  expect(created.headers.warning).toContain(
    "extensions/v1beta1 Deployment is deprecated in v1.8+, unavailable in v1.16+; use apps/v1 Deployment",
  );
  expect(created.body).toMatchObject({
    apiVersion: "extensions/v1beta1",
    metadata: { labels: { app: "a" } },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: "a" } },
      progressDeadlineSeconds: 2147483647,
      revisionHistoryLimit: 2147483647,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
    },
  });
  const today = await ask("GET", `${APPS}/deployments/old`);
  expect(today.headers.warning).toBeUndefined();
  expect(today.body).toMatchObject({
    apiVersion: "apps/v1",
    metadata: { uid: created.body.metadata.uid },
    spec: created.body.spec,
  });
  const [entry] = created.body.metadata.managedFields;
  expect(entry).toMatchObject({ apiVersion: "extensions/v1beta1", operation: "Update" });
  expect(entry.fieldsV1["f:spec"]["f:progressDeadlineSeconds"]).toEqual({});
});

test("patches, apply, tables and watches speak the version", async () => {
  await made(`${APPS}/deployments`, {
    metadata: { name: "both", annotations: { "deprecated.deployment.rollback.to": "3" } },
    spec: { paused: true, selector: { matchLabels: { app: "a" } }, template },
  });
  const path = `${EXTENSIONS}/deployments/both`;
  expect((await ask("GET", path)).body).toMatchObject({ spec: { rollbackTo: { revision: 3 } } });
  const patched = await ask("PATCH", path, { spec: { rollbackTo: null, minReadySeconds: 5 } });
  expect(patched.body.spec).toMatchObject({ minReadySeconds: 5 });
  expect(patched.body.spec.rollbackTo).toBeUndefined();
  const apply = { apiVersion: "extensions/v1beta1", kind: "Deployment", spec: { minReadySeconds: 5 } };
  const applied = await ask("PATCH", `${path}?fieldManager=m`, JSON.stringify(apply), {
    "content-type": "application/apply-patch+yaml",
  });
  expect(applied, applied.text).toMatchObject({ status: 200 });
  expect(applied.body.metadata.managedFields).toContainEqual(
    expect.objectContaining({
      manager: "m",
      apiVersion: "extensions/v1beta1",
      fieldsV1: { "f:spec": { "f:minReadySeconds": {} } },
    }),
  );
  const table = await ask("GET", path, undefined, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" });
  expect(table.body.columnDefinitions[1].name).toBe("Ready");
  const watched = await ask("GET", `${EXTENSIONS}/deployments?watch=1&timeoutSeconds=1&fieldSelector=metadata.name=both`);
  expect(watched.text).toContain('"apiVersion":"extensions/v1beta1"');
  // Its selector may be changed in this version only.
  const spec = { selector: { matchLabels: { app: "a", b: "c" } }, template: { metadata: { labels: { app: "a", b: "c" } } } };
  expect((await ask("PATCH", `${APPS}/deployments/both`, { spec })).status).toBe(422);
  expect((await ask("PATCH", path, { spec })).status).toBe(200);
});

test("scale and rollback of a Deployment", async () => {
  await made(`${EXTENSIONS}/deployments`, { metadata: { name: "back" }, spec: { replicas: 2, template } });
  const scale = await ask("GET", `${EXTENSIONS}/deployments/back/scale`);
  expect(scale.body).toMatchObject({
    apiVersion: "extensions/v1beta1",
    kind: "Scale",
    spec: { replicas: 2 },
    status: { selector: { app: "a" }, targetSelector: "app=a" },
  });
  expect(scale.headers.warning).toContain("extensions/v1beta1 Scale is deprecated in v1.2+, unavailable in v1.16+");
  // Its controller may write between a read and a write.
  const rescale = async (): Promise<Answered> => {
    const { body } = await ask("GET", `${EXTENSIONS}/deployments/back/scale`);
    const answer = await ask("PUT", `${EXTENSIONS}/deployments/back/scale`, { ...body, spec: { replicas: 1 } });
    return answer.status === 409 ? rescale() : answer;
  };
  const scaled = await rescale();
  expect(scaled, scaled.text).toMatchObject({ status: 200, body: { spec: { replicas: 1 } } });
  const until = async (done: (d: Answered["body"]) => boolean): Promise<Answered["body"]> => {
    for (let i = 0; i < 200; i++) {
      const { body } = await ask("GET", `${APPS}/deployments/back`);
      if (done(body)) return body;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("the deployment controller did not get there");
  };
  const revision = (d: Answered["body"]): string => d.metadata.annotations?.["deployment.kubernetes.io/revision"];
  await until((d) => revision(d) === "1");
  const containers = [{ name: "c", image: "next" }];
  await ask("PATCH", `${EXTENSIONS}/deployments/back`, { spec: { template: { spec: { containers } } } });
  await until((d) => revision(d) === "2");
  const rollback = { apiVersion: "extensions/v1beta1", kind: "DeploymentRollback", name: "back", rollbackTo: { revision: 1 } };
  const asked = await ask("POST", `${EXTENSIONS}/deployments/back/rollback`, rollback);
  expect(asked.body).toMatchObject({ kind: "Status", message: 'rollback request for deployment "back" succeeded' });
  await until((d) => revision(d) === "3" && d.spec.template.spec.containers[0].image === "i");
  const wrong = await ask("POST", `${EXTENSIONS}/deployments/back/rollback`, { ...rollback, name: "other" });
  expect(wrong.body.message).toBe("name in URL does not match name in DeploymentRollback object");
});

test("DaemonSets update on delete, and count their templates in a field", async () => {
  const { body } = await made(`${EXTENSIONS}/daemonsets`, { metadata: { name: "d" }, spec: { template } });
  expect(body).toMatchObject({ spec: { updateStrategy: { type: "OnDelete" }, templateGeneration: 1, revisionHistoryLimit: 10 } });
  expect(body.metadata.annotations).toBeUndefined();
  const today = await ask("GET", `${APPS}/daemonsets/d`);
  expect(today.body.metadata.annotations).toEqual({ "deprecated.daemonset.template.generation": "1" });
  const deleted = await ask("DELETE", `${EXTENSIONS}/daemonsets/d`);
  expect(deleted.body.metadata?.finalizers, "what it owns stays, as in former years").toEqual(["orphan"]);
});

test("Ingresses and network policies", async () => {
  const http = { paths: [{ path: "/x", backend: { serviceName: "s", servicePort: "web" } }] };
  const spec = { backend: { serviceName: "d", servicePort: 80 }, rules: [{ host: "h.example.com", http }] };
  const { body } = await made(`${EXTENSIONS}/ingresses`, { metadata: { name: "i" }, spec });
  expect(body.spec).toMatchObject(spec);
  const today = await ask("GET", "/apis/networking.k8s.io/v1/namespaces/default/ingresses/i");
  expect(today.body.spec).toEqual({
    defaultBackend: { service: { name: "d", port: { number: 80 } } },
    rules: [
      {
        host: "h.example.com",
        http: {
          paths: [{ path: "/x", pathType: "ImplementationSpecific", backend: { service: { name: "s", port: { name: "web" } } } }],
        },
      },
    ],
  });
  await made(`${EXTENSIONS}/networkpolicies`, {
    metadata: { name: "n" },
    spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] },
  });
  const policy = await ask("GET", "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/n");
  expect(policy.body.spec).toMatchObject({ policyTypes: ["Ingress"], ingress: [{ ports: [{ port: 80, protocol: "TCP" }] }] });
});

test("the guide's third-party resource is served, and is a definition", async () => {
  const name = "network-policy.net.alpha.kubernetes.io";
  const resource = {
    kind: "ThirdPartyResource",
    apiVersion: "extensions/v1beta1",
    metadata: { name },
    description: "Specification for a network isolation policy",
    versions: [{ name: "v1alpha1" }],
  };
  const { body } = await made(`${EXTENSIONS}/thirdpartyresources`, resource);
  expect(body).toMatchObject({
    ...resource,
    metadata: { name, namespace: "default", uid: expect.any(String), creationTimestamp: expect.any(String) },
    versions: [{ name: "v1alpha1", apiGroup: "extensions" }],
  });
  expect((await ask("POST", `${EXTENSIONS}/thirdpartyresources`, resource)).status).toBe(409);
  const policies = "/apis/net.alpha.kubernetes.io/v1alpha1/namespaces/default/networkpolicies";
  for (let i = 0; i < 100 && (await ask("GET", policies)).status !== 200; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await made(policies, {
    apiVersion: "net.alpha.kubernetes.io/v1alpha1",
    kind: "NetworkPolicy",
    metadata: { name: "p" },
    any: { x: 1 },
  });
  expect((await ask("GET", `${policies}/p`)).body).toMatchObject({ any: { x: 1 } });
  const listed = await ask("GET", `${EXTENSIONS}/thirdpartyresources`);
  expect(listed.body).toMatchObject({ kind: "ThirdPartyResourceList", items: [{ metadata: { name } }] });
  const { body: now } = await ask("GET", `${EXTENSIONS}/thirdpartyresources/${name}`);
  expect((await ask("PUT", `${EXTENSIONS}/thirdpartyresources/${name}`, body)).status).toBe(409);
  const changed = { ...now, versions: [...body.versions, { name: "v1beta1" }] };
  const byName = await ask("GET", `${EXTENSIONS}/thirdpartyresources?fieldSelector=metadata.name=other`);
  expect(byName.body.items).toEqual([]);
  expect((await ask("GET", `${EXTENSIONS}/thirdpartyresources?watch=1`)).status).toBe(405);
  const updated = await ask("PUT", `${EXTENSIONS}/thirdpartyresources/${name}`, changed);
  expect(updated.body.versions, updated.text).toHaveLength(2);
  const patched = await ask("PATCH", `${EXTENSIONS}/thirdpartyresources/${name}`, { metadata: { labels: { l: "v" } } });
  expect(patched, patched.text).toMatchObject({ status: 200, body: { metadata: { labels: { l: "v" } } } });
  const definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/networkpolicies.net.alpha.kubernetes.io";
  expect((await ask("GET", definition)).body.spec.names.kind).toBe("NetworkPolicy");
  expect((await ask("DELETE", `${EXTENSIONS}/thirdpartyresources/${name}`)).status).toBe(200);
  for (let i = 0; i < 100 && (await ask("GET", definition)).status !== 404; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect((await ask("GET", `${EXTENSIONS}/thirdpartyresources/${name}`)).status).toBe(404);
});

test.each([
  { name: "short.com", versions: [{ name: "v1" }], message: "at least three segments" },
  { name: "foo-bar.example.com", versions: [], message: "must specify at least one version" },
])("a third-party resource is refused: $message", async ({ name, versions, message }) => {
  const answer = await ask("POST", `${EXTENSIONS}/thirdpartyresources`, { metadata: { name }, versions });
  expect(answer).toMatchObject({ status: 422 });
  expect(answer.body.message).toContain(message);
});

test("subjects, budgets, reviews and requests for devices of former versions", async () => {
  const rbac = "/apis/rbac.authorization.k8s.io";
  const binding = {
    metadata: { name: "b" },
    roleRef: { kind: "ClusterRole", name: "view" },
    subjects: [{ kind: "User", name: "*" }],
  };
  await made(`${rbac}/v1alpha1/clusterrolebindings`, binding);
  const today = await ask("GET", `${rbac}/v1/clusterrolebindings/b`);
  expect(today.body.subjects).toEqual([{ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: "system:authenticated" }]);

  const budgets = (version: string): string => `/apis/policy/${version}/namespaces/default/poddisruptionbudgets`;
  await made(budgets("v1beta1"), { metadata: { name: "x" }, spec: { minAvailable: 1, selector: {} } });
  expect((await ask("GET", `${budgets("v1")}/x`)).body.spec.selector.matchExpressions).toHaveLength(1);
  expect((await ask("GET", `${budgets("v1beta1")}/x`)).body.spec.selector).toEqual({});

  const review = { apiVersion: "authentication.k8s.io/v1beta1", kind: "TokenReview", spec: { token: "none" } };
  const reviewed = await made("/apis/authentication.k8s.io/v1beta1/tokenreviews", review);
  expect(reviewed.body).toMatchObject({ apiVersion: "authentication.k8s.io/v1beta1", status: {} });

  const claims = (version: string): string => `/apis/resource.k8s.io/${version}/namespaces/default/resourceclaims`;
  const requests = [{ name: "r", deviceClassName: "c.example.com" }];
  const { body } = await made(claims("v1beta1"), { metadata: { name: "c" }, spec: { devices: { requests } } });
  expect(body.spec.devices.requests).toEqual([{ ...requests[0], allocationMode: "ExactCount", count: 1 }]);
  const claim = await ask("GET", `${claims("v1")}/c`);
  expect(claim.body.spec.devices.requests).toEqual([
    { name: "r", exactly: { deviceClassName: "c.example.com", allocationMode: "ExactCount", count: 1 } },
  ]);
});

test("a definition of v1beta1 says once what all versions say", async () => {
  const definitions = (version: string): string => `/apis/apiextensions.k8s.io/${version}/customresourcedefinitions`;
  const schema = {
    openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: { n: { type: "integer" } } } } },
  };
  const columns = [{ name: "N", type: "integer", JSONPath: ".spec.n" }];
  const spec = {
    group: "old.example.com",
    version: "v1",
    names: { plural: "things", kind: "Thing" },
    validation: schema,
    subresources: { status: {} },
    additionalPrinterColumns: columns,
    preserveUnknownFields: false,
  };
  const { body } = await made(definitions("v1beta1"), { metadata: { name: "things.old.example.com" }, spec });
  expect(body.spec).toMatchObject({ ...spec, scope: "Namespaced", versions: [{ name: "v1", served: true, storage: true }] });
  const today = await ask("GET", `${definitions("v1")}/things.old.example.com`);
  expect(today.body.spec.versions).toEqual([
    {
      name: "v1",
      served: true,
      storage: true,
      schema,
      subresources: { status: {} },
      additionalPrinterColumns: [{ name: "N", type: "integer", jsonPath: ".spec.n" }],
    },
  ]);
});

test("the Calico manifest of former years is taken as it stands", async () => {
  const manifest = readFileSync(new URL("old-versions/calico.yaml", import.meta.url), "utf8");
  const paths: Record<string, string> = {
    ConfigMap: "/api/v1",
    DaemonSet: "/apis/extensions/v1beta1",
    ReplicaSet: "/apis/extensions/v1beta1",
  };
  for (const document of manifest.split("\n---\n").map((document) => document.trim())) {
    const kind = /^kind: (\w+)/m.exec(document)?.[1] ?? "";
    const path = `${paths[kind]}/namespaces/kube-system/${kind.toLowerCase()}s`;
    const answer = await ask("POST", path, document, { "content-type": "application/yaml" });
    expect(answer, answer.text).toMatchObject({ status: 201, body: { kind } });
  }
  const set = await ask("GET", "/apis/apps/v1/namespaces/kube-system/replicasets/calico-policy-controller");
  expect(set.body.spec.selector).toEqual({ matchLabels: { "k8s-app": "calico-policy" } });
});
