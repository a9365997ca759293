import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { realClock } from "#base/clock.ts";
import { SharedInformer } from "#client/informer.ts";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";
import { ConversionServer } from "../support/conversion-server.ts";
import { startWatch, type Watching } from "../support/watch.ts";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

// biome-ignore lint/suspicious/noExplicitAny: objects of tests.
type Any = any;

const text = { type: "string" };

/** What upstream's conformance tests of custom resources (test/e2e/apimachinery) ask for, in this order of steps. */
describe("conformance of custom resources", () => {
  let cluster: Cluster;
  let hooks: ConversionServer;
  let ask: ReturnType<typeof asker>;
  const ending = new AbortController();

  beforeAll(async () => {
    [cluster, hooks] = await Promise.all([startCluster({ nodes: 0 }), ConversionServer.start()]);
    ask = asker(cluster);
  });
  afterAll(async () => {
    ending.abort();
    await cluster?.stop();
    await hooks?.stop();
  });

  async function define(group: string, spec: object, labels: object = {}): Promise<Any> {
    const names = { plural: "noxus", singular: "noxu", kind: "Noxu" };
    const made = await ask("POST", CRDS, {
      metadata: { name: `noxus.${group}`, labels },
      spec: { group, scope: "Cluster", names, ...spec },
    });
    expect(made.status, made.text).toBe(201);
    return vi.waitFor(
      async () => {
        const { body } = await ask("GET", `${CRDS}/noxus.${group}`);
        const established = body.status.conditions?.find(({ type }: Any) => type === "Established");
        expect(established?.status).toBe("True");
        return body;
      },
      { timeout: 5_000, interval: 20 },
    );
  }

  const anything = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const oneVersion = (schema: object = anything): object => ({
    versions: [{ name: "v1beta1", served: true, storage: true, schema }],
  });

  const object = (group: string, version: string, name: string, rest: object = {}): object => ({
    apiVersion: `${group}/${version}`,
    kind: "Noxu",
    metadata: { name },
    ...rest,
  });

  test("watch on custom resource definition objects", async () => {
    await define("watched.example.com", oneVersion());
    const path = "/apis/watched.example.com/v1beta1/noxus";
    using first = await startWatch(cluster, `${path}?watch=true&fieldSelector=metadata.name%3Dname1`);
    using second = await startWatch(cluster, `${path}?watch=true&fieldSelector=metadata.name%3Dname2`);
    for (const name of ["name1", "name2"]) {
      const made = await ask("POST", path, object("watched.example.com", "v1beta1", name));
      expect(made.body).toMatchObject({ apiVersion: "watched.example.com/v1beta1", kind: "Noxu", metadata: { name } });
      expect(made.body.metadata.uid).not.toBe("");
    }
    for (const name of ["name1", "name2"]) {
      expect((await ask("PATCH", `${path}/${name}`, [{ op: "add", path: "/dummy", value: "test" }])).status).toBe(200);
    }
    for (const name of ["name1", "name2"]) expect((await ask("DELETE", `${path}/${name}`)).status).toBe(200);
    for (const [name, watching] of [
      ["name1", first],
      ["name2", second],
    ] as const) {
      await expect
        .poll(() => watching.seen, { timeout: 30_000 })
        .toEqual([`ADDED ${name}`, `MODIFIED ${name}`, `DELETED ${name}`]);
    }
  });

  test("listing custom resource definition objects works", async () => {
    const labels = { "e2e-list-test-uuid": "abc" };
    for (let i = 0; i < 10; i++) await define(`listed${i}.example.com`, oneVersion(), labels);
    await define("other.example.com", oneVersion());
    const selector = "labelSelector=e2e-list-test-uuid%3Dabc";
    const { body } = await ask("GET", `${CRDS}?${selector}`);
    expect(body.items).toHaveLength(10);
    expect((await ask("DELETE", `${CRDS}?${selector}`)).status).toBe(200);
    await vi.waitFor(async () => expect((await ask("GET", `${CRDS}?${selector}`)).body.items).toEqual([]), { timeout: 10_000 });
    expect((await ask("GET", `${CRDS}/noxus.other.example.com`)).status).toBe(200);
  });

  test("getting/updating/patching custom resource definition status sub-resource works", async () => {
    const made = await define("status.example.com", oneVersion());
    const path = `${CRDS}/noxus.status.example.com/status`;
    const { body } = await ask("GET", path);
    expect(body.spec).toEqual(made.spec);
    body.status.conditions.push({ type: "", status: "", message: "updated" });
    const updated = await ask("PUT", path, body);
    expect(updated.status, updated.text).toBe(200);
    expect(updated.body.status.conditions.some(({ message }: Any) => message === "updated")).toBe(true);
    const patched = await ask("PATCH", path, [{ op: "add", path: "/status/conditions", value: [{ message: "patched" }] }]);
    expect(patched.status, patched.text).toBe(200);
    expect(patched.body.status.conditions.some(({ message }: Any) => message === "patched")).toBe(true);
  });

  test("custom resource defaulting for requests and from storage works", async () => {
    const group = "defaulted.example.com";
    const properties = { a: text, b: text };
    await define(group, oneVersion({ openAPIV3Schema: { type: "object", properties } }));
    const path = `/apis/${group}/v1beta1/noxus`;
    const at = "/spec/versions/0/schema/openAPIV3Schema/properties";
    expect((await ask("POST", path, object(group, "v1beta1", "one"))).status).toBe(201);
    await ask("PATCH", `${CRDS}/noxus.${group}`, [{ op: "add", path: `${at}/a/default`, value: "A" }]);
    // Whoever has changed a definition meets it changed.
    expect((await ask("GET", `${path}/one`)).body.a).toBe("A");
    expect((await ask("POST", path, object(group, "v1beta1", "two"))).body.a).toBe("A");
    await ask("PATCH", `${CRDS}/noxus.${group}`, [
      { op: "remove", path: `${at}/a/default` },
      { op: "add", path: `${at}/b/default`, value: "B" },
    ]);
    expect((await ask("GET", `${path}/two`)).body).toMatchObject({ a: "A", b: "B" });
    expect((await ask("GET", `${path}/one`)).body.a).toBeUndefined();
  });

  test("MUST list and watch custom resources matching the field selector", async () => {
    const group = "selected.example.com";
    hooks.on("/crdconvert", ({ request }) =>
      request.objects.map(({ host, port, hostPort, ...rest }: Any) => {
        const apiVersion = request.desiredAPIVersion;
        if (apiVersion.endsWith("/v1")) {
          return { ...rest, apiVersion, ...(host !== undefined && { hostPort: `${host}:${port ?? ""}` }) };
        }
        const [left, right] = (hostPort ?? "").split(":");
        return { ...rest, apiVersion, ...(hostPort !== undefined && { host: left, port: right }) };
      }),
    );
    const version = (name: string, storage: boolean, ...fields: string[]): object => ({
      name,
      served: true,
      storage,
      schema: { openAPIV3Schema: { type: "object", properties: Object.fromEntries(fields.map((field) => [field, text])) } },
      selectableFields: fields.map((field) => ({ jsonPath: `.${field}` })),
    });
    const clientConfig = { url: hooks.url("/crdconvert"), caBundle: hooks.caBundle };
    await define(group, {
      versions: [version("v1", true, "hostPort"), version("v2", false, "host", "port")],
      conversion: { strategy: "Webhook", webhook: { clientConfig, conversionReviewVersions: ["v1", "v1beta1"] } },
    });
    const path = (v: string): string => `/apis/${group}/${v}/noxus`;
    const selected = (v: string, selector: string): string => `${path(v)}?fieldSelector=${encodeURIComponent(selector)}`;
    const watch = (v: string, selector: string): Promise<Watching> => startWatch(cluster, `${selected(v, selector)}&watch=true`);
    using byHost = await watch("v2", "host=host1");
    using byBoth = await watch("v2", "host=host1,port=80");
    using inOldVersion = await watch("v1", "hostPort=host1:80");
    const informed = ["host=host1", "host=host1,port=80"].map((fieldSelector) => {
      const id = { group, version: "v2", resource: "noxus" };
      const informer = new SharedInformer<ApiObject>(id, { fieldSelector }, { client: cluster.client, clock: realClock });
      const seen: string[] = [];
      informer.addHandler({
        onAdd: ({ metadata }) => void seen.push(`added ${metadata.name}`),
        onDelete: ({ metadata }) => void seen.push(`deleted ${metadata.name}`),
      });
      void informer.run(ending.signal);
      return { informer, seen };
    });
    await Promise.all(informed.map(({ informer }) => informer.waitForSync()));
    const hosts = [{ host: "host1", port: "80" }, { host: "host1", port: "8080" }, { host: "host2" }];
    for (const [i, fields] of hosts.entries()) {
      const made = await ask("POST", path("v2"), object(group, "v2", `cr${i}`, fields));
      expect(made.status, made.text).toBe(201);
    }
    const names = async (v: string, selector: string): Promise<string[]> =>
      (await ask("GET", selected(v, selector))).body.items.map(({ metadata }: Any) => metadata.name);
    expect(await names("v2", "host=host1")).toEqual(["cr0", "cr1"]);
    expect(await names("v2", "host=host1,port=80")).toEqual(["cr0"]);
    expect(await names("v1", "hostPort=host1:80")).toEqual(["cr0"]);
    expect(await names("v1", "hostPort=host1:8080")).toEqual(["cr1"]);
    expect((await ask("DELETE", selected("v2", "host=host1,port=80"), { gracePeriodSeconds: 0 })).status).toBe(200);
    const { body } = await ask("GET", `${path("v2")}/cr1`);
    expect((await ask("PUT", `${path("v2")}/cr1`, { ...body, host: "host2" })).status).toBe(200);
    expect(await names("v2", "host=host1")).toEqual([]);
    expect(await names("v2", "host=host1,port=80")).toEqual([]);
    const watched = (): (readonly string[])[] => [byHost, byBoth, inOldVersion].map(({ seen }) => seen);
    await expect.poll(watched, { timeout: 30_000 }).toEqual([
      ["ADDED cr0", "ADDED cr1", "DELETED cr0", "DELETED cr1"],
      ["ADDED cr0", "DELETED cr0"],
      ["ADDED cr0", "DELETED cr0"],
    ]);
    await expect
      .poll(() => informed.map((each) => each.seen), { timeout: 30_000 })
      .toEqual([
        ["added cr0", "added cr1", "deleted cr0", "deleted cr1"],
        ["added cr0", "deleted cr0"],
      ]);
  });

  describe("published in OpenAPI", () => {
    const schema = { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: { foo: text } } } } };
    const version = (name: string, served = true, storage = false): object => ({ name, served, storage, schema });

    /** The definitions of a group in version 2, and the versions that version 3 has documents of. */
    async function published(group: string): Promise<{ readonly v2: string[]; readonly v3: string[] }> {
      const [v2, v3] = await Promise.all([ask("GET", "/openapi/v2"), ask("GET", "/openapi/v3")]);
      const prefix = `${group.split(".").reverse().join(".")}.`;
      const names = Object.keys(v2.body.definitions).filter((name) => name.startsWith(prefix) && name.endsWith(".Noxu"));
      const paths = Object.keys(v3.body.paths).filter((path) => path.startsWith(`apis/${group}/`));
      return {
        v2: names.map((name) => name.slice(prefix.length, -".Noxu".length)).sort(),
        v3: paths.map((path) => path.slice(`apis/${group}/`.length)).sort(),
      };
    }

    test("works for multiple CRDs of same group but different versions, and when one version gets renamed", async () => {
      const group = "renamed.example.com";
      await define(group, { versions: [version("v2", true, true), version("v3")] });
      expect(await published(group)).toEqual({ v2: ["v2", "v3"], v3: ["v2", "v3"] });
      const { body: before } = await ask("GET", `/openapi/v3/apis/${group}/v2`);
      const renamed = await ask("PATCH", `${CRDS}/noxus.${group}`, [
        { op: "replace", path: "/spec/versions/1/name", value: "v4" },
      ]);
      expect(renamed.status, renamed.text).toBe(200);
      expect(await published(group)).toEqual({ v2: ["v2", "v4"], v3: ["v2", "v4"] });
      expect((await ask("GET", `/openapi/v3/apis/${group}/v2`)).body).toEqual(before);
      expect((await ask("GET", `/apis/${group}/v3`)).status).toBe(404);
      expect((await ask("GET", `/apis/${group}/v4/noxus`)).status).toBe(200);
    });

    test("removes definition from spec when one version gets changed to not be served", async () => {
      const group = "unserved.example.com";
      await define(group, { versions: [version("v5", true, true), version("v6alpha1")] });
      const path = "/spec/versions/1/served";
      expect((await ask("PATCH", `${CRDS}/noxus.${group}`, [{ op: "replace", path, value: false }])).status).toBe(200);
      expect(await published(group)).toEqual({ v2: ["v5"], v3: ["v5"] });
      expect((await ask("GET", `/apis/${group}/v6alpha1/noxus`)).status).toBe(404);
      expect((await ask("PATCH", `${CRDS}/noxus.${group}`, [{ op: "replace", path, value: true }])).status).toBe(200);
      expect(await published(group)).toEqual({ v2: ["v5", "v6alpha1"], v3: ["v5", "v6alpha1"] });
      expect((await ask("DELETE", `${CRDS}/noxus.${group}`)).status).toBe(200);
      await vi.waitFor(async () => expect(await published(group)).toEqual({ v2: [], v3: [] }), { timeout: 5_000 });
    });
  });
});
