import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";

type Amounts = Readonly<Record<string, string>>;

const TEMPLATE = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };

describe("quotas", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  let count = 0;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 });
    ask = asker(cluster);
  });
  afterAll(() => cluster?.stop());

  /** A namespace of its own with quotas in it, by name. */
  const namespaceWith = async (quotas: Readonly<Record<string, { hard: Amounts } & object>>): Promise<string> => {
    const path = `/api/v1/namespaces/quota-${++count}`;
    await ask("POST", "/api/v1/namespaces", { metadata: { name: `quota-${count}` } });
    await vi.waitFor(async () => expect((await ask("GET", `${path}/serviceaccounts/default`)).status).toBe(200), {
      timeout: 20_000,
    });
    for (const [name, spec] of Object.entries(quotas)) {
      expect((await ask("POST", `${path}/resourcequotas`, { metadata: { name }, spec })).status).toBe(201);
      await vi.waitFor(
        async () => {
          const { status } = (await ask("GET", `${path}/resourcequotas/${name}`)).body;
          expect(status?.hard).toEqual(spec.hard);
          expect(Object.keys(status.used).sort()).toEqual(Object.keys(spec.hard).sort());
        },
        { timeout: 20_000 },
      );
    }
    return path;
  };
  const uses = (path: string, quota: string, used: Amounts) =>
    vi.waitFor(async () => expect((await ask("GET", `${path}/resourcequotas/${quota}`)).body.status.used).toMatchObject(used), {
      timeout: 10_000,
    });
  const pod = (name: string, resources: object = {}, spec: object = {}) => ({
    metadata: { name },
    spec: { schedulerName: "none", containers: [{ name: "c", image: "i", resources }], ...spec },
  });

  const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  test.each([
    ["secrets", "v1", { stringData: { a: "b" } }, { secrets: "1" }],
    ["configmaps", "v1", {}, { configmaps: "2" }],
    [
      "replicationcontrollers",
      "v1",
      { spec: { replicas: 0, selector: { a: "b" }, template: TEMPLATE } },
      { replicationcontrollers: "1" },
    ],
    [
      "replicasets",
      "apps/v1",
      { spec: { replicas: 0, selector: { matchLabels: { a: "b" } }, template: TEMPLATE } },
      { "count/replicasets.apps": "1" },
    ],
    ["persistentvolumeclaims", "v1", { spec: claim }, { persistentvolumeclaims: "1", "requests.storage": "1Gi" }],
    [
      "persistentvolumeclaims",
      "v1",
      { spec: { ...claim, storageClassName: "gold" } },
      {
        "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
        "gold.storageclass.storage.k8s.io/requests.storage": "1Gi",
      },
    ],
    [
      "services",
      "v1",
      { spec: { type: "NodePort", ports: [{ port: 80 }] } },
      { services: "1", "services.nodeports": "1", "services.loadbalancers": "0" },
    ],
    [
      "services",
      "v1",
      { spec: { type: "LoadBalancer", ports: [{ port: 80 }] } },
      { services: "1", "services.nodeports": "1", "services.loadbalancers": "1" },
    ],
    [
      "services",
      "v1",
      { spec: { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports: [{ port: 80 }] } },
      { services: "1", "services.nodeports": "0", "services.loadbalancers": "1" },
    ],
  ])("capture the life of %s of %s", async (plural, version, body, used) => {
    // Each namespace has a config map with the authority's certificate.
    const before = Object.fromEntries(Object.keys(used).map((name) => [name, name === "configmaps" ? "1" : "0"]));
    const hard = Object.fromEntries(
      Object.keys(used).map((name) => [name, name.includes("storage") && name.includes("requests") ? "10Gi" : "10"]),
    );
    const path = await namespaceWith({ q: { hard } });
    await uses(path, "q", before);
    const root = version === "v1" ? path : path.replace("/api/v1", `/apis/${version}`);
    expect((await ask("POST", `${root}/${plural}`, { metadata: { name: "one" }, ...body })).status).toBe(201);
    await uses(path, "q", used);
    await ask("DELETE", `${root}/${plural}/one`);
    await uses(path, "q", before);
  });

  test("capture the life of a pod, and refuse what goes beyond them", async () => {
    const hard = { pods: "5", cpu: "1", memory: "500Mi", "ephemeral-storage": "50Gi", "requests.example.com/dongle": "3" };
    const path = await namespaceWith({ q: { hard } });
    const requests = { cpu: "500m", memory: "252Mi", "ephemeral-storage": "30Gi", "example.com/dongle": "2" };
    const limits = { "example.com/dongle": "2" };
    expect((await ask("POST", `${path}/pods`, pod("fits", { requests, limits }))).status).toBe(201);
    const used = { pods: "1", cpu: "500m", memory: "252Mi", "ephemeral-storage": "30Gi", "requests.example.com/dongle": "2" };
    await uses(path, "q", used);
    for (const [what, over] of [
      ["cpu", { cpu: "600m", memory: "100Mi", "ephemeral-storage": "1Gi" }],
      ["requests.example.com/dongle", { cpu: "100m", memory: "100Mi", "ephemeral-storage": "1Gi", "example.com/dongle": "2" }],
    ] as const) {
      const answer = await ask(
        "POST",
        `${path}/pods`,
        pod("over", { requests: over, limits: "example.com/dongle" in over ? limits : {} }),
      );
      expect(answer.status).toBe(403);
      expect(answer.body.message).toContain(`exceeded quota: q, requested: ${what}=`);
    }
    // What requests nothing of what is limited has no place.
    expect((await ask("POST", `${path}/pods`, pod("none"))).body.message).toContain("must specify cpu");
    await ask("PATCH", `${path}/pods/fits`, { metadata: { labels: { changed: "yes" } } });
    await uses(path, "q", used);
    await ask("DELETE", `${path}/pods/fits?gracePeriodSeconds=0`);
    await uses(path, "q", { pods: "0", cpu: "0", memory: "0", "ephemeral-storage": "0", "requests.example.com/dongle": "0" });
  });

  test("capture the life of custom resources", async () => {
    const versions = [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }];
    const names = { plural: "counted", kind: "Counted" };
    const spec = { group: "quota.example.com", scope: "Namespaced", names, versions };
    await ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      metadata: { name: "counted.quota.example.com" },
      spec,
    });
    const what = "count/counted.quota.example.com";
    const path = await namespaceWith({ q: { hard: { [what]: "1" } } });
    const root = path.replace("/api/v1", "/apis/quota.example.com/v1");
    const body = (name: string) => ({ apiVersion: "quota.example.com/v1", kind: "Counted", metadata: { name } });
    expect((await ask("POST", `${root}/counted`, body("one"))).status).toBe(201);
    await uses(path, "q", { [what]: "1" });
    expect((await ask("POST", `${root}/counted`, body("two"))).status).toBe(403);
    await ask("DELETE", `${root}/counted/one`);
    await uses(path, "q", { [what]: "0" });
  });

  const small = { requests: { cpu: "100m", memory: "10Mi" }, limits: { cpu: "200m", memory: "20Mi" } };
  const scoped = (name: string, operator: string, values?: string[]) => ({
    scopeSelector: { matchExpressions: [{ scopeName: name, operator, ...(values === undefined ? {} : { values }) }] },
  });
  test.each([
    [
      "Terminating and not, by scopes",
      { scopes: ["Terminating"] },
      { scopes: ["NotTerminating"] },
      pod("p", small, { activeDeadlineSeconds: 3600 }),
    ],
    [
      "Terminating and not, by selectors",
      scoped("Terminating", "Exists"),
      scoped("NotTerminating", "Exists"),
      pod("p", small, { activeDeadlineSeconds: 3600 }),
    ],
    ["BestEffort and not, by scopes", { scopes: ["BestEffort"] }, { scopes: ["NotBestEffort"] }, pod("p")],
    ["BestEffort and not, by selectors", scoped("BestEffort", "Exists"), scoped("NotBestEffort", "Exists"), pod("p")],
    [
      "priority classes and others",
      scoped("PriorityClass", "In", ["gold"]),
      scoped("PriorityClass", "NotIn", ["gold"]),
      pod("p", small, { priorityClassName: "gold" }),
    ],
    [
      "any priority class and another",
      scoped("PriorityClass", "Exists"),
      scoped("PriorityClass", "In", ["silver"]),
      pod("p", small, { priorityClassName: "gold" }),
    ],
    [
      "affinity to other namespaces and none",
      { scopes: ["CrossNamespacePodAffinity"] },
      { scopes: ["NotBestEffort"] },
      pod(
        "p",
        {},
        {
          affinity: {
            podAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                { topologyKey: "region", labelSelector: { matchLabels: { a: "b" } }, namespaces: ["other"] },
              ],
            },
          },
        },
      ),
    ],
  ])("look only at pods of their scope: %s", async (_, its, another, body) => {
    await ask("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", { metadata: { name: "gold" }, value: 1000 });
    const path = await namespaceWith({ its: { hard: { pods: "1" }, ...its }, other: { hard: { pods: "1" }, ...another } });
    expect((await ask("POST", `${path}/pods`, body)).status).toBe(201);
    await uses(path, "its", { pods: "1" });
    await uses(path, "other", { pods: "0" });
    const again = await ask("POST", `${path}/pods`, { ...body, metadata: { name: "second" } });
    expect(again.body.message).toContain("exceeded quota: its, requested: pods=1, used: pods=1, limited: pods=1");
    await ask("DELETE", `${path}/pods/p?gracePeriodSeconds=0`);
    await uses(path, "its", { pods: "0" });
  });

  test("are changed, patched, shown over all namespaces and removed", async () => {
    const path = await namespaceWith({ q: { hard: { cpu: "1", memory: "500Mi" } } });
    const { body } = await ask("GET", `${path}/resourcequotas/q`);
    const changed = {
      ...body,
      metadata: { ...body.metadata, labels: { kept: "yes" } },
      spec: { hard: { cpu: "2", memory: "1Gi" } },
    };
    expect((await ask("PUT", `${path}/resourcequotas/q`, changed)).body.spec.hard).toEqual({ cpu: "2", memory: "1Gi" });
    await ask("PATCH", `${path}/resourcequotas/q`, { spec: { hard: { memory: "750Mi" } } });
    await vi.waitFor(
      async () => {
        expect((await ask("GET", `${path}/resourcequotas/q`)).body.status.hard).toEqual({ cpu: "2", memory: "750Mi" });
      },
      { timeout: 20_000 },
    );
    expect((await ask("GET", "/api/v1/resourcequotas?labelSelector=kept%3Dyes")).body.items).toHaveLength(1);
    expect((await ask("DELETE", `${path}/resourcequotas?labelSelector=kept%3Dyes`)).status).toBe(200);
    expect((await ask("GET", `${path}/resourcequotas`)).body.items).toEqual([]);
  });

  test("have a status that changes alone", async () => {
    const path = await namespaceWith({ q: { hard: { cpu: "500m", memory: "500Mi" } } });
    const quota = `${path}/resourcequotas/q`;
    const { body } = await ask("GET", `${quota}/status`);
    const updated = await ask("PUT", `${quota}/status`, {
      ...body,
      spec: { hard: { cpu: "9" } },
      status: { ...body.status, hard: { cpu: "501m", memory: "501Mi" } },
    });
    expect(updated.body.status.hard).toEqual({ cpu: "501m", memory: "501Mi" });
    expect(updated.body.spec.hard).toEqual({ cpu: "500m", memory: "500Mi" });
    // The controller puts it right again.
    await vi.waitFor(async () => expect((await ask("GET", quota)).body.status.hard).toEqual({ cpu: "500m", memory: "500Mi" }), {
      timeout: 10_000,
    });
    const patched = await ask("PATCH", `${quota}/status`, { status: { hard: { cpu: "1", memory: "1Gi" } } });
    expect(patched.body).toMatchObject({
      status: { hard: { cpu: "1", memory: "1Gi" } },
      spec: { hard: { cpu: "500m", memory: "500Mi" } },
    });
  });
});
