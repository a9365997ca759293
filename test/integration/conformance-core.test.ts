import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";
import { startWatch } from "../support/watch.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const CORE = "/api/v1/namespaces/default";
const SOON = { timeout: 30_000 };
const STRATEGIC = { "content-type": "application/strategic-merge-patch+json" };

describe("the core group", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1 });
    ask = asker(cluster);
  });
  afterAll(() => cluster?.stop());
  const pod = (name: string, more: object = {}, labels: object = { app: name }) => ({
    metadata: { name, labels },
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image: "i" }], ...more },
  });
  const running = (name: string) =>
    vi.waitFor(async () => expect((await ask("GET", `${CORE}/pods/${name}`)).body.status.phase).toBe("Running"), SOON);

  test("pods run through their life, their status apart, and go in a collection", async () => {
    using watching = await startWatch(cluster, `${CORE}/pods?watch=true&labelSelector=app%3Dlife`);
    await ask("POST", `${CORE}/pods`, pod("life"));
    await running("life");
    const patched = await ask(
      "PATCH",
      `${CORE}/pods/life`,
      JSON.stringify({ metadata: { labels: { patched: "yes" } }, spec: { containers: [{ name: "c", image: "other" }] } }),
      STRATEGIC,
    );
    expect(patched.body).toMatchObject({ metadata: { labels: { patched: "yes" } }, spec: { containers: [{ image: "other" }] } });
    const { body } = await ask("GET", `${CORE}/pods/life/status`);
    body.status.conditions.find((one: Any) => one.type === "Ready").status = "False";
    await ask("PUT", `${CORE}/pods/life/status`, body);
    const gate = { type: "example.com/gate", status: "True" };
    const gated = await ask("PATCH", `${CORE}/pods/life/status`, JSON.stringify({ status: { conditions: [gate] } }), STRATEGIC);
    expect(gated.body.status.conditions).toContainEqual(expect.objectContaining(gate));
    const immutable = await ask("PATCH", `${CORE}/pods/life`, { spec: { nodeName: "elsewhere" } });
    expect(immutable).toMatchObject({ status: 422 });
    expect(immutable.body.message).toContain("pod updates may not change fields other than");
    await ask("PATCH", `${CORE}/pods/life`, { spec: { activeDeadlineSeconds: 30 } });
    expect(
      (await ask("PATCH", `${CORE}/pods/life`, { spec: { activeDeadlineSeconds: 5 } })).body.spec.activeDeadlineSeconds,
    ).toBe(5);
    expect((await ask("DELETE", `${CORE}/pods?labelSelector=app%3Dlife`)).body.items).toHaveLength(1);
    await vi.waitFor(() => expect(watching.seen.at(-1)).toBe("DELETED life"), SOON);
    expect(watching.seen[0]).toBe("ADDED life");
  });

  test("pods have what they ask for in place, and containers for a while", async () => {
    const resources = { requests: { cpu: "100m", memory: "64Mi" }, limits: { cpu: "200m", memory: "64Mi" } };
    await ask("POST", `${CORE}/pods`, pod("sized", { containers: [{ name: "c", image: "i", resources }] }));
    await running("sized");
    const direct = await ask(
      "PATCH",
      `${CORE}/pods/sized`,
      JSON.stringify({ spec: { containers: [{ name: "c", resources: { requests: { cpu: "150m" } } }] } }),
      STRATEGIC,
    );
    expect(direct.status).toBe(422);
    const resized = await ask(
      "PATCH",
      `${CORE}/pods/sized/resize`,
      JSON.stringify({ spec: { containers: [{ name: "c", resources: { requests: { cpu: "150m" } } }] } }),
      STRATEGIC,
    );
    expect(resized.body.spec.containers[0].resources.requests.cpu).toBe("150m");
    await vi.waitFor(
      async () =>
        expect((await ask("GET", `${CORE}/pods/sized`)).body.status.containerStatuses[0].resources.requests.cpu).toBe("150m"),
      SOON,
    );
    const ephemeral = await ask(
      "PATCH",
      `${CORE}/pods/sized/ephemeralcontainers`,
      JSON.stringify({ spec: { ephemeralContainers: [{ name: "debug", image: "d" }] } }),
      STRATEGIC,
    );
    expect(ephemeral.body.spec.ephemeralContainers).toMatchObject([{ name: "debug", terminationMessagePolicy: "File" }]);
    const gone = await ask("PATCH", `${CORE}/pods/sized/ephemeralcontainers`, [
      { op: "remove", path: "/spec/ephemeralContainers/0" },
    ]);
    expect(gone.body.message).toContain("existing ephemeral containers");
    await ask("DELETE", `${CORE}/pods/sized?gracePeriodSeconds=0`);
  });

  test.each([
    ["configmaps", { data: { a: "1" } }, { data: { a: "2" } }],
    ["secrets", { stringData: { a: "1" } }, { stringData: { a: "2" } }],
  ])("%s that are immutable stay so until they go", async (plural, body, change) => {
    const path = `${CORE}/${plural}/fixed`;
    await ask("POST", `${CORE}/${plural}`, { metadata: { name: "fixed" }, ...body });
    expect((await ask("PATCH", path, { ...change, immutable: true })).status).toBe(200);
    for (const refused of [{ immutable: false }, body])
      expect((await ask("PATCH", path, refused)).body.message).toContain("field is immutable when `immutable` is set");
    expect((await ask("PATCH", path, { metadata: { labels: { kept: "yes" } } })).status).toBe(200);
    expect((await ask("DELETE", path)).status).toBe(200);
  });

  test("services change their type, keep their status apart, and have endpoints of the pods that match", async () => {
    const path = `${CORE}/services/typed`;
    const make = {
      metadata: { name: "typed", labels: { test: "typed" } },
      spec: { type: "ExternalName", externalName: "foo.example.com" },
    };
    expect((await ask("POST", `${CORE}/services`, make)).body.spec.clusterIP).toBeUndefined();
    const { body } = await ask("GET", path);
    const ports = [{ port: 80, targetPort: 8080, name: "http" }];
    const changed = (await ask("PUT", path, { ...body, spec: { type: "NodePort", ports, selector: { app: "typed" } } })).body;
    expect(changed.spec).toMatchObject({
      type: "NodePort",
      clusterIP: expect.stringMatching(/^\d/),
      ports: [{ nodePort: expect.any(Number) }],
    });
    expect(changed.spec.externalName).toBeUndefined();
    const cluster_ = (await ask("PATCH", path, JSON.stringify({ spec: { type: "ClusterIP" } }), STRATEGIC)).body;
    expect(cluster_.spec.clusterIP).toBe(changed.spec.clusterIP);
    expect(cluster_.spec.ports[0].nodePort).toBeUndefined();
    expect((await ask("PATCH", path, { spec: { clusterIP: "10.96.1.1" } })).body.message).toContain("may not change once set");
    await ask("POST", `${CORE}/pods`, pod("typed"));
    await running("typed");
    const slices = async (): Promise<Any[]> =>
      (
        await ask(
          "GET",
          "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dtyped",
        )
      ).body.items;
    await vi.waitFor(
      async () =>
        expect((await slices())[0]?.endpoints).toMatchObject([
          { targetRef: { kind: "Pod", name: "typed" }, conditions: { ready: true, serving: true, terminating: false } },
        ]),
      SOON,
    );
    await vi.waitFor(
      async () =>
        expect((await ask("GET", `${CORE}/endpoints/typed`)).body.subsets).toMatchObject([
          { addresses: [{ targetRef: { name: "typed" } }], ports: [{ port: 8080, name: "http" }] },
        ]),
      SOON,
    );
    await ask("DELETE", `${CORE}/pods/typed?gracePeriodSeconds=0`);
    await vi.waitFor(async () => expect((await slices())[0]?.endpoints ?? []).toEqual([]), SOON);
    expect((await ask("GET", "/api/v1/services?labelSelector=test%3Dtyped")).body.items).toHaveLength(1);
    expect((await ask("DELETE", `${CORE}/services?labelSelector=test%3Dtyped`)).status).toBe(200);
    await vi.waitFor(async () => expect(await slices()).toEqual([]), SOON);
  });

  test("endpoints that somebody else keeps are mirrored, changed and removed", async () => {
    await ask("POST", `${CORE}/services`, { metadata: { name: "mirrored" }, spec: { ports: [{ port: 80, name: "http" }] } });
    const endpoints = {
      metadata: { name: "mirrored" },
      subsets: [{ addresses: [{ ip: "10.1.2.3" }], ports: [{ name: "http", port: 80 }] }],
    };
    await ask("POST", `${CORE}/endpoints`, endpoints);
    const addresses = async (): Promise<string[]> => {
      const selector = encodeURIComponent(
        "kubernetes.io/service-name=mirrored,endpointslice.kubernetes.io/managed-by=endpointslicemirroring-controller.k8s.io",
      );
      const { items } = (
        await ask("GET", `/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=${selector}`)
      ).body;
      return items.flatMap((slice: Any) => (slice.endpoints ?? []).flatMap((one: Any) => one.addresses));
    };
    await vi.waitFor(async () => expect(await addresses()).toEqual(["10.1.2.3"]), SOON);
    await ask("PATCH", `${CORE}/endpoints/mirrored`, {
      subsets: [{ addresses: [{ ip: "10.2.3.4" }], ports: [{ name: "http", port: 80 }] }],
    });
    await vi.waitFor(async () => expect(await addresses()).toEqual(["10.2.3.4"]), SOON);
    await ask("DELETE", `${CORE}/endpoints/mirrored`);
    await vi.waitFor(async () => expect(await addresses()).toEqual([]), SOON);
    await ask("DELETE", `${CORE}/services/mirrored`);
  });

  test("the API server's own service has its address", async () => {
    const { subsets } = (await ask("GET", `${CORE}/endpoints/kubernetes`)).body;
    expect(subsets).toMatchObject([{ addresses: [{ ip: expect.any(String) }], ports: [{ name: "https", protocol: "TCP" }] }]);
    expect(
      (await ask("GET", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes")).body.endpoints[0].addresses,
    ).toEqual([subsets[0].addresses[0].ip]);
  });

  test("limit ranges give defaults and refuse what goes beyond them", async () => {
    const namespace = "/api/v1/namespaces/limited";
    await ask("POST", "/api/v1/namespaces", { metadata: { name: "limited" } });
    await vi.waitFor(async () => expect((await ask("GET", `${namespace}/serviceaccounts/default`)).status).toBe(200), {
      timeout: 20_000,
    });
    const limit = {
      type: "Container",
      min: { cpu: "50m" },
      max: { cpu: "500m" },
      default: { cpu: "300m" },
      defaultRequest: { cpu: "100m" },
      maxLimitRequestRatio: { cpu: "4" },
    };
    await ask("POST", `${namespace}/limitranges`, {
      metadata: { name: "l", labels: { test: "limited" } },
      spec: { limits: [limit] },
    });
    const create = (name: string, resources: object) =>
      ask("POST", `${namespace}/pods`, {
        metadata: { name },
        spec: { schedulerName: "none", containers: [{ name: "c", image: "i", resources }] },
      });
    await vi.waitFor(
      async () => {
        const { body } = await create(`defaulted-${Math.random().toString(36).slice(2)}`, {});
        expect(body.spec.containers[0].resources).toEqual({ requests: { cpu: "100m" }, limits: { cpu: "300m" } });
      },
      { timeout: 20_000 },
    );
    expect((await create("partly", { limits: { cpu: "350m" } })).body.spec.containers[0].resources).toEqual({
      requests: { cpu: "350m" },
      limits: { cpu: "350m" },
    });
    expect((await create("low", { requests: { cpu: "10m" } })).body.message).toContain(
      "minimum cpu usage per Container is 50m, but request is 10m",
    );
    expect((await create("high", { limits: { cpu: "600m" } })).body.message).toContain(
      "maximum cpu usage per Container is 500m, but limit is 600m",
    );
    expect((await create("ratio", { requests: { cpu: "50m" }, limits: { cpu: "400m" } })).body.message).toContain(
      "cpu max limit to request ratio per Container is 4, but provided ratio is 8",
    );
    expect((await ask("GET", "/api/v1/limitranges?labelSelector=test%3Dlimited")).body.items).toHaveLength(1);
    expect((await ask("DELETE", `${namespace}/limitranges?labelSelector=test%3Dlimited`)).status).toBe(200);
  });

  test("nodes are made, changed and removed by their API alone", async () => {
    const path = "/api/v1/nodes/fake";
    const made = await ask("POST", "/api/v1/nodes", {
      metadata: { name: "fake", labels: { test: "fake" } },
      status: { capacity: { cpu: "4" }, phase: "Running" },
    });
    expect(made.body.spec.taints).toContainEqual({ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" });
    expect((await ask("PATCH", path, { metadata: { labels: { patched: "yes" } } })).body.metadata.labels).toMatchObject({
      patched: "yes",
    });
    const status = await ask(
      "PATCH",
      `${path}/status`,
      JSON.stringify({ status: { capacity: { "example.com/fake": "5" } } }),
      STRATEGIC,
    );
    expect(status.body.status.capacity["example.com/fake"]).toBe("5");
    const escaped = await ask("PATCH", `${path}/status`, [
      { op: "add", path: "/status/capacity/example.com~1json", value: "10" },
    ]);
    expect(escaped.body.status.capacity["example.com/json"]).toBe("10");
    expect((await ask("DELETE", "/api/v1/nodes?labelSelector=test%3Dfake")).status).toBe(200);
    expect((await ask("GET", path)).status).toBe(404);
  });

  test("priority classes keep their value, and pods take it over", async () => {
    const classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
    await ask("POST", classes, { metadata: { name: "p1" }, value: 100 });
    for (const change of [{ value: 101 }, { preemptionPolicy: "Never" }]) {
      expect((await ask("PATCH", `${classes}/p1`, change)).body.reason).toMatch(/^(Invalid|Forbidden)$/);
    }
    expect((await ask("PATCH", `${classes}/p1`, { description: "updated" })).body.description).toBe("updated");
    const { spec } = (await ask("POST", `${CORE}/pods`, pod("prior", { priorityClassName: "p1", schedulerName: "none" }))).body;
    expect(spec).toMatchObject({ priority: 100, preemptionPolicy: "PreemptLowerPriority" });
    expect((await ask("POST", `${CORE}/pods`, pod("none", { priorityClassName: "none" }))).body.message).toContain(
      "no PriorityClass with name none was found",
    );
  });
});
