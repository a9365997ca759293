import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { type Answered, asker } from "../support/ask.ts";

const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const WIDGETS = "/apis/example.com/v1/widgets";

const container = (name: string, image: string) => ({ name, image });
const deployment = (spec: object, metadata: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "deployment", labels: { app: "nginx" }, ...metadata },
  spec: {
    selector: { matchLabels: { app: "nginx" } },
    template: { metadata: { labels: { app: "nginx" } }, spec: { containers: [container("nginx", "nginx:1")] } },
    ...spec,
  },
});

/** `spec` names some fields and keeps the others; `ports` is owned item by item. */
const definition = {
  metadata: { name: "widgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Cluster",
    names: { plural: "widgets", singular: "widget", kind: "Widget" },
    versions: ["v1", "v1beta1"].map((name) => ({
      name,
      served: true,
      storage: name === "v1",
      schema: {
        openAPIV3Schema: {
          type: "object",
          properties: {
            spec: {
              type: "object",
              "x-kubernetes-preserve-unknown-fields": true,
              properties: {
                cronSpec: { type: "string" },
                ports: {
                  type: "array",
                  "x-kubernetes-list-type": "map",
                  "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
                  items: {
                    type: "object",
                    required: ["containerPort", "protocol"],
                    properties: {
                      containerPort: { type: "integer", format: "int32" },
                      protocol: { type: "string" },
                      name: { type: "string" },
                    },
                  },
                },
              },
            },
          },
        },
      },
    })),
  },
};

describe("server-side apply", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  const apply = (path: string, body: unknown, manager: string, query = ""): Promise<Answered> =>
    ask("PATCH", `${path}?fieldManager=${manager}${query}`, JSON.stringify(body), {
      "content-type": "application/apply-patch+yaml",
    });

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 });
    ask = asker(cluster);
    await ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition);
    while ((await ask("GET", WIDGETS)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
  });
  afterAll(() => cluster?.stop());

  test("makes what is not there, and says so", async () => {
    const path = `${DEPLOYMENTS}/deployment`;
    expect((await apply(path, deployment({ replicas: 1 }), "one")).status).toBe(201);
    expect((await apply(path, deployment({ replicas: 1 }), "one")).status).toBe(200);
    const entries = (await ask("GET", path)).body.metadata.managedFields;
    expect(entries[0]).toMatchObject({ manager: "one", operation: "Apply" });
  });

  test("removes what its manager alone owned and does not speak of any more, and leaves what another owns too", async () => {
    const path = `${DEPLOYMENTS}/deployment`;
    const labels = { app: "nginx", shared: "yes" };
    await apply(path, deployment({ replicas: 1 }, { labels: { ...labels, own: "yes" } }), "one");
    await apply(
      path,
      { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "deployment", labels: { shared: "yes" } } },
      "two",
    );
    const answer = await apply(path, deployment({ replicas: 1 }, { labels: { app: "nginx" } }), "one");
    expect(answer.body.metadata.labels).toEqual(labels);
  });

  test("stops at what another has changed, until it is forced; who is forced out owns it no more", async () => {
    const path = `${DEPLOYMENTS}/deployment`;
    await ask("PATCH", `${path}?fieldManager=scaler`, { spec: { replicas: 5 } });
    const refused = await apply(path, deployment({ replicas: 1 }), "one");
    expect(refused).toMatchObject({ status: 409, body: { reason: "Conflict" } });
    expect(refused.body.details.causes).toMatchObject([{ reason: "FieldManagerConflict", field: ".spec.replicas" }]);
    expect((await apply(path, deployment({ replicas: 1 }), "one", "&force=true")).body.spec.replicas).toBe(1);
    const owners = (await ask("GET", path)).body.metadata.managedFields.map(({ manager }: { manager: string }) => manager);
    expect(owners).not.toContain("scaler");
  });

  test("of a controller that is forced gives a field up to the user who applies without it", async () => {
    const path = `${DEPLOYMENTS}/handed`;
    const handed = (spec: object) => deployment(spec, { name: "handed" });
    const scale = (replicas: number) => ({
      apiVersion: "autoscaling/v1",
      kind: "Scale",
      metadata: { name: "handed", namespace: "default" },
      spec: { replicas },
    });
    await apply(path, handed({ replicas: 3 }), "user");
    expect((await apply(`${path}/scale`, scale(4), "controller", "&force=true")).body.spec.replicas).toBe(4);
    await apply(path, handed({}), "user");
    expect((await ask("GET", path)).body.spec.replicas).toBe(4);
  });

  test.each([
    ["pods", { spec: { containers: [container("c", "i")] } }, { conditions: [{ type: "MyStatus", status: "True" }] }],
    ["services", { spec: { type: "LoadBalancer", ports: [{ port: 80 }] } }, { loadBalancer: { ingress: [{ ip: "127.0.0.1" }] } }],
    [
      "replicationcontrollers",
      { spec: { replicas: 0, template: { metadata: { labels: { a: "b" } }, spec: { containers: [container("c", "i")] } } } },
      { replicas: 1 },
    ],
  ])("of the status of %s changes that alone", async (plural, body, status) => {
    const path = `/api/v1/namespaces/default/${plural}/applied`;
    const kind = { pods: "Pod", services: "Service", replicationcontrollers: "ReplicationController" }[plural];
    const head = { apiVersion: "v1", kind, metadata: { name: "applied" } };
    expect((await apply(path, { ...head, ...body }, "one")).status).toBe(201);
    const answer = await apply(
      `${path}/status`,
      { ...head, metadata: { ...head.metadata, labels: { no: "t" } }, status },
      "two",
      "&force=true",
    );
    expect(answer.status).toBe(200);
    const { conditions = [], ...rest } = status as { conditions?: unknown[] };
    expect(answer.body.status).toMatchObject(rest);
    for (const condition of conditions) expect(answer.body.status.conditions).toContainEqual(expect.objectContaining(condition));
    expect(answer.body.metadata.managedFields.find(({ manager }: { manager: string }) => manager === "two")).toMatchObject({
      subresource: "status",
    });
    const again = (await ask("GET", path)).body;
    expect(again.spec).toEqual(answer.body.spec);
  });

  describe("of custom resources", () => {
    const path = `${WIDGETS}/mytest`;
    const widget = (spec: object, metadata: object = {}, version = "v1") => ({
      apiVersion: `example.com/${version}`,
      kind: "Widget",
      metadata: { name: "mytest", ...metadata },
      spec,
    });
    const port = (containerPort: number, name: string) => ({ containerPort, protocol: "TCP", name });
    const all = widget({ cronSpec: "* * * * */5", replicas: 1, ports: [port(80, "x")] }, { finalizers: ["example.com/test"] });

    test("makes them with fields that their schema keeps without naming them", async () => {
      const answer = await apply(path, all, "one");
      expect(answer.status).toBe(201);
      expect(answer.body.spec).toEqual(all.spec);
      expect(answer.body.metadata.managedFields[0].fieldsV1["f:spec"]).toEqual({
        "f:cronSpec": {},
        "f:ports": {
          'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {}, "f:name": {}, "f:protocol": {} },
        },
        "f:replicas": {},
      });
      expect((await apply(path.replace("v1", "v1beta1"), { ...all, apiVersion: "example.com/v1beta1" }, "one")).status).toBe(200);
    });

    test("adds to finalizers, which are a set", async () => {
      await ask("PATCH", path, { metadata: { finalizers: ["example.com/test", "example.com/another"] } });
      const answer = await apply(path, all, "one");
      expect(answer.body.metadata.finalizers).toEqual(["example.com/test", "example.com/another"]);
    });

    test("stops at changes of others in fields named and not named", async () => {
      await ask("PATCH", path, { spec: { replicas: 5 } });
      const refused = await apply(path, all, "one");
      expect(refused.body.details?.causes).toMatchObject([{ field: ".spec.replicas" }]);
      expect((await apply(path, all, "one", "&force=true")).body.spec.replicas).toBe(1);
      const item = await apply(path, widget({ ports: [port(80, "y")] }), "two");
      expect(item.body.details?.causes).toMatchObject([{ field: '.spec.ports[containerPort=80,protocol="TCP"].name' }]);
    });

    test("adds items of lists that are maps, and takes away its own", async () => {
      const both = await apply(path, widget({ ports: [port(8080, "y")] }), "two");
      expect(both.body.spec.ports).toEqual([port(80, "x"), port(8080, "y")]);
      const one = await apply(path, widget({}), "two");
      expect(one.body.spec.ports).toEqual([port(80, "x")]);
    });

    test("takes away fields that are not named when their owner does not speak of them any more", async () => {
      await apply(path, widget({ extra: { deep: [1, { a: "b" }] } }), "three");
      const without = await apply(path, widget({}), "three");
      expect(without.body.spec).toEqual(all.spec);
      await ask("PATCH", path, { metadata: { finalizers: [] } });
    });
  });
});
