import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { type Answered, asker } from "../support/ask.ts";
import { ConversionServer } from "../support/conversion-server.ts";
import { startWatch } from "../support/watch.ts";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const GROUP = "stable.example.com";

// biome-ignore lint/suspicious/noExplicitAny: objects of tests.
type Any = any;

/** Upstream's example: a host and a port in one text, or apart. */
function convertHostPort(review: Any): object[] {
  const { desiredAPIVersion, objects } = review.request;
  return objects.map((object: Any) => {
    if (object.apiVersion === desiredAPIVersion) throw new Error("nothing to convert");
    const copy = { ...object, apiVersion: desiredAPIVersion };
    if (desiredAPIVersion.endsWith("/v2")) {
      const [host, port] = (object.hostPort ?? "").split(":");
      delete copy.hostPort;
      return object.hostPort === undefined ? copy : { ...copy, host, port };
    }
    delete copy.host;
    delete copy.port;
    return object.host === undefined ? copy : { ...copy, hostPort: `${object.host}:${object.port}` };
  });
}

const until = (condition: () => Promise<unknown>): Promise<void> =>
  vi.waitFor(async () => expect(await condition()).toBeTruthy(), { timeout: 5_000, interval: 20 });

const text = { type: "string" };

function version(name: string, storage: boolean, properties: object, more: object = {}): object {
  return {
    name,
    served: true,
    storage,
    schema: { openAPIV3Schema: { type: "object", properties } },
    ...more,
  };
}

describe("conversion webhooks of custom resources", () => {
  let cluster: Cluster;
  let hooks: ConversionServer;
  let ask: ReturnType<typeof asker>;

  beforeAll(async () => {
    [cluster, hooks] = await Promise.all([startCluster({ nodes: 0 }), ConversionServer.start()]);
    ask = asker(cluster);
  });
  afterAll(async () => {
    await cluster?.stop();
    await hooks?.stop();
  });

  const webhook = (plural: string, reviewVersions = ["v1", "v1beta1"]): object => ({
    strategy: "Webhook",
    webhook: {
      clientConfig: { url: hooks.url(`/${plural}`), caBundle: hooks.caBundle },
      conversionReviewVersions: reviewVersions,
    },
  });

  function definition(plural: string, versions: readonly object[], conversion: object): object {
    const singular = plural.slice(0, -1);
    return {
      metadata: { name: `${plural}.${GROUP}` },
      spec: {
        group: GROUP,
        scope: "Namespaced",
        names: { plural, singular, kind: `${singular.charAt(0).toUpperCase()}${singular.slice(1)}` },
        versions,
        conversion,
      },
    };
  }

  async function define(plural: string, versions: readonly object[], conversion: object): Promise<void> {
    const created = await ask("POST", CRDS, definition(plural, versions, conversion));
    expect(created.status, created.text).toBe(201);
    await established(plural);
  }

  async function established(plural: string): Promise<void> {
    await until(async () => {
      const { body } = await ask("GET", `${CRDS}/${plural}.${GROUP}`);
      return body.status?.conditions?.some((each: Any) => each.type === "Established" && each.status === "True");
    });
  }

  const path = (plural: string, version_: string, name = ""): string =>
    `/apis/${GROUP}/${version_}/namespaces/default/${plural}${name === "" ? "" : `/${name}`}`;

  const V1 = { hostPort: text };
  const V2 = { host: text, port: text };
  const hostPorts = [version("v1", true, V1), version("v2", false, V2)];

  const create = (plural: string, version_: string, name: string, fields: object): Promise<Answered> =>
    ask("POST", path(plural, version_), {
      apiVersion: `${GROUP}/${version_}`,
      kind: `${plural.charAt(0).toUpperCase()}${plural.slice(1, -1)}`,
      metadata: { name },
      ...fields,
    });

  test("every verb speaks the version that it is asked in, and stores the storage version", async () => {
    hooks.on("/alphas", convertHostPort);
    await define("alphas", hostPorts, webhook("alphas"));
    const created = await create("alphas", "v2", "a", { host: "h", port: "1", surplus: 1 });
    expect(created).toMatchObject({ status: 201, body: { apiVersion: `${GROUP}/v2`, host: "h", port: "1" } });
    expect(created.body.surplus).toBeUndefined();
    expect((await ask("GET", path("alphas", "v1", "a"))).body).toMatchObject({ apiVersion: `${GROUP}/v1`, hostPort: "h:1" });
    const replaced = await ask("PUT", path("alphas", "v2", "a"), { ...created.body, port: "2" });
    expect(replaced).toMatchObject({ status: 200, body: { port: "2" } });
    expect((await ask("GET", path("alphas", "v1", "a"))).body.hostPort).toBe("h:2");
    expect((await ask("PATCH", path("alphas", "v2", "a"), { host: "i" })).body).toMatchObject({ host: "i", port: "2" });
    const [read] = hooks.take("/alphas").slice(-1);
    expect(read).toMatchObject({
      kind: "ConversionReview",
      apiVersion: "apiextensions.k8s.io/v1",
      request: { desiredAPIVersion: `${GROUP}/v2`, objects: [{ apiVersion: `${GROUP}/v1`, hostPort: "i:2" }] },
    });
    expect(read.request.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect((await ask("DELETE", path("alphas", "v2", "a"))).status).toBe(200);
    expect((await ask("GET", path("alphas", "v1", "a"))).status).toBe(404);
  });

  test("a dry run converts and leaves nothing", async () => {
    hooks.on("/drys", convertHostPort);
    await define("drys", hostPorts, webhook("drys"));
    const answer = await ask("POST", `${path("drys", "v2")}?dryRun=All`, {
      apiVersion: `${GROUP}/v2`,
      kind: "Dry",
      metadata: { name: "a" },
      host: "h",
      port: "1",
    });
    expect(answer).toMatchObject({ status: 201, body: { host: "h" } });
    expect((await ask("GET", path("drys", "v1", "a"))).status).toBe(404);
  });

  test("a list of objects that were stored in several versions comes in the version asked for, by one review", async () => {
    hooks.on("/mixeds", convertHostPort);
    await define("mixeds", hostPorts, webhook("mixeds"));
    expect((await create("mixeds", "v1", "one", { hostPort: "a:1" })).status).toBe(201);
    const turned = [version("v1", false, V1), version("v2", true, V2)];
    const { body: crd } = await ask("GET", `${CRDS}/mixeds.${GROUP}`);
    expect((await ask("PUT", `${CRDS}/mixeds.${GROUP}`, { ...crd, spec: { ...crd.spec, versions: turned } })).status).toBe(200);
    await until(async () => (await ask("GET", `${CRDS}/mixeds.${GROUP}`)).body.status.storedVersions.length === 2);
    await until(async () => {
      const { status, body } = await create("mixeds", "v2", "two", { host: "b", port: "2" });
      return status === 201 || body.reason === "AlreadyExists";
    });
    await until(async () => (await ask("GET", path("mixeds", "v2"))).body.items.length === 2);
    hooks.take("/mixeds");
    for (const [asked, shown] of [
      ["v1", { hostPort: "a:1" }],
      ["v2", { host: "a", port: "1" }],
    ] as const) {
      const { body } = await ask("GET", path("mixeds", asked));
      expect(body.items.map((item: Any) => [item.apiVersion, item.metadata.name])).toEqual([
        [`${GROUP}/${asked}`, "one"],
        [`${GROUP}/${asked}`, "two"],
      ]);
      expect(body.items[0]).toMatchObject(shown);
    }
    expect(hooks.take("/mixeds").length).toBeLessThanOrEqual(2);
  });

  test("watches see changes in their version, in order", async () => {
    hooks.on("/seens", convertHostPort);
    await define("seens", hostPorts, webhook("seens"));
    await create("seens", "v1", "before", { hostPort: "a:0" });
    using watching = await startWatch(cluster, `${path("seens", "v2")}?watch=1`);
    const many = Array.from({ length: 30 }, (_, i) => create("seens", "v1", `n${i}`, { hostPort: `a:${i}` }));
    for (const { status } of await Promise.all(many)) expect(status).toBe(201);
    expect((await ask("DELETE", path("seens", "v1", "n0"))).status).toBe(200);
    const { events } = watching;
    await expect.poll(() => events.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(32);
    expect(events).toHaveLength(32);
    expect(events[0]).toMatchObject({ type: "ADDED", object: { apiVersion: `${GROUP}/v2`, host: "a", port: "0" } });
    const revisions = events.slice(1).map(({ object }) => Number(object.metadata.resourceVersion));
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    expect(events.at(-1)).toMatchObject({ type: "DELETED", object: { metadata: { name: "n0" }, host: "a", port: "0" } });
  });

  test("fields are selected as the version has them, in lists and in watches", async () => {
    hooks.on("/selects", convertHostPort);
    await define(
      "selects",
      [
        version("v1", true, V1, { selectableFields: [{ jsonPath: ".hostPort" }] }),
        version("v2", false, V2, {
          selectableFields: [{ jsonPath: ".host" }],
          additionalPrinterColumns: [{ name: "Port", type: "string", jsonPath: ".port" }],
        }),
      ],
      webhook("selects"),
    );
    using watching = await startWatch(cluster, `${path("selects", "v2")}?watch=1&fieldSelector=host%3Da`);
    await create("selects", "v1", "x", { hostPort: "a:1" });
    await create("selects", "v1", "y", { hostPort: "b:1" });
    const names = async (query: string, v: string): Promise<string[]> =>
      (await ask("GET", `${path("selects", v)}?fieldSelector=${query}`)).body.items.map((item: Any) => item.metadata.name);
    expect(await names("host%3Da", "v2")).toEqual(["x"]);
    expect(await names("hostPort%3Db:1", "v1")).toEqual(["y"]);
    expect(await ask("GET", `${path("selects", "v2")}?fieldSelector=hostPort%3Da`)).toMatchObject({
      status: 400,
      body: { message: "field label not supported: hostPort" },
    });
    const table = await ask("GET", path("selects", "v2"), undefined, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" });
    expect(table.body.columnDefinitions.map(({ name }: Any) => name)).toEqual(["Name", "Port"]);
    expect(table.body.rows[0].cells).toEqual(["x", "1"]);
    await ask("PATCH", path("selects", "v1", "x"), { hostPort: "c:1" });
    const { events } = watching;
    await expect.poll(() => events.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(2);
    expect(events.map(({ type, object }) => [type, object.host])).toEqual([
      ["ADDED", "a"],
      ["DELETED", "a"],
    ]);
  });

  test("managers of several versions keep what is theirs", async () => {
    hooks.on("/manageds", convertHostPort);
    await define("manageds", hostPorts, webhook("manageds"));
    const apply = (v: string, manager: string, fields: object): Promise<Answered> =>
      ask(
        "PATCH",
        `${path("manageds", v, "a")}?fieldManager=${manager}`,
        { apiVersion: `${GROUP}/${v}`, kind: "Managed", metadata: { name: "a" }, ...fields },
        { "content-type": "application/apply-patch+yaml" },
      );
    expect((await apply("v1", "one", { hostPort: "h:1" })).status).toBe(201);
    const conflict = await apply("v2", "two", { host: "i", port: "1" });
    expect(conflict.status, conflict.text).toBe(409);
    expect(conflict.body.message).toContain('conflict with "one": .hostPort');
    const forced = await ask(
      "PATCH",
      `${path("manageds", "v2", "a")}?fieldManager=two&force=true`,
      { apiVersion: `${GROUP}/v2`, kind: "Managed", metadata: { name: "a" }, host: "i", port: "1" },
      { "content-type": "application/apply-patch+yaml" },
    );
    expect(forced, forced.text).toMatchObject({ status: 200, body: { host: "i", port: "1" } });
    const managers = forced.body.metadata.managedFields.map(({ manager, apiVersion }: Any) => [manager, apiVersion]);
    expect(managers).toContainEqual(["two", `${GROUP}/v2`]);
  });

  test("managers of a version that is served no longer keep what is theirs", async () => {
    hooks.on("/keepers", convertHostPort);
    await define("keepers", hostPorts, webhook("keepers"));
    const apply = (v: string, manager: string, fields: object): Promise<Answered> =>
      ask(
        "PATCH",
        `${path("keepers", v, "a")}?fieldManager=${manager}`,
        { apiVersion: `${GROUP}/${v}`, kind: "Keeper", metadata: { name: "a" }, ...fields },
        { "content-type": "application/apply-patch+yaml" },
      );
    expect((await apply("v2", "two", { host: "h", port: "1" })).status).toBe(201);
    const crd = `${CRDS}/keepers.${GROUP}`;
    expect((await ask("PATCH", crd, [{ op: "replace", path: "/spec/versions/1/served", value: false }])).status).toBe(200);
    const conflict = await apply("v1", "one", { hostPort: "other:1" });
    expect(conflict, conflict.text).toMatchObject({ status: 409 });
    const labelled = await apply("v1", "one", { metadata: { name: "a", labels: { x: "y" } } });
    expect(labelled.status, labelled.text).toBe(200);
    expect(labelled.body.hostPort).toBe("h:1");
    const managers = labelled.body.metadata.managedFields.map(({ manager, apiVersion }: Any) => `${manager} ${apiVersion}`);
    expect(managers.sort()).toEqual([`one ${GROUP}/v1`, `two ${GROUP}/v2`]);
  });

  test("scale and status are those of the version", async () => {
    const converts = (review: Any): object[] =>
      review.request.objects.map(({ spec = {}, ...object }: Any) => {
        const { desiredAPIVersion: apiVersion } = review.request;
        return apiVersion.endsWith("v2")
          ? { ...object, apiVersion, spec: { size: spec.replicas } }
          : { ...object, apiVersion, spec: { replicas: spec.size } };
      });
    hooks.on("/scales", converts);
    const int = { type: "integer" };
    const scaled = (path_: string): object => ({
      subresources: { status: {}, scale: { specReplicasPath: path_, statusReplicasPath: ".status.replicas" } },
    });
    const props = (field: string): object => ({
      spec: { type: "object", properties: { [field]: int } },
      status: { type: "object", properties: { replicas: int } },
    });
    await define(
      "scales",
      [
        version("v1", true, props("replicas"), scaled(".spec.replicas")),
        version("v2", false, props("size"), scaled(".spec.size")),
        version("v3", false, props("replicas")),
      ],
      webhook("scales"),
    );
    await create("scales", "v1", "a", { spec: { replicas: 3 } });
    expect((await ask("GET", `${path("scales", "v2", "a")}/scale`)).body.spec).toEqual({ replicas: 3 });
    expect((await ask("PATCH", `${path("scales", "v2", "a")}/scale`, { spec: { replicas: 5 } })).status).toBe(200);
    expect((await ask("PATCH", `${path("scales", "v2", "a")}/status`, { status: { replicas: 4 } })).status).toBe(200);
    expect((await ask("GET", path("scales", "v1", "a"))).body).toMatchObject({ spec: { replicas: 5 }, status: { replicas: 4 } });
    expect((await ask("GET", `${path("scales", "v3", "a")}/scale`)).status).toBe(404);
    const { body: discovery } = await ask("GET", `/apis/${GROUP}/v3`);
    expect(discovery.resources.map(({ name }: Any) => name)).not.toContain("scales/scale");
  });

  test("schemas, defaults and pruning are those of each version", async () => {
    hooks.on("/rules", convertHostPort);
    await define(
      "rules",
      [
        version("v1", true, { hostPort: text, kept: { ...text, default: "stored" } }),
        version("v2", false, { host: { ...text, maxLength: 3 }, port: text, kept: text }),
      ],
      webhook("rules"),
    );
    const long = await create("rules", "v2", "a", { host: "long", port: "1" });
    expect(long).toMatchObject({ status: 422, body: { details: { causes: [{ field: "host" }] } } });
    expect((await create("rules", "v1", "a", { hostPort: "long:1" })).status).toBe(201);
    expect((await ask("GET", path("rules", "v2", "a"))).body).toMatchObject({ host: "long", kept: "stored" });
    const created = await create("rules", "v2", "b", { host: "h", port: "1" });
    expect(created.body.kept).toBe("stored");
  });

  test.each([
    {
      name: "failure",
      does: (review: Any) => ({
        body: { ...review, response: { uid: review.request.uid, result: { status: "Failure", message: "no" } } },
      }),
      says: "conversion webhook for stable.example.com/v1, Kind=Failure failed: no",
    },
    {
      name: "mute",
      does: (review: Any) => ({ body: { kind: review.kind, apiVersion: review.apiVersion } }),
      says: "conversion webhook for stable.example.com/v1, Kind=Mute failed: no response provided",
    },
    {
      name: "stranger",
      does: (review: Any) => ({ body: { ...review, response: { uid: "another", result: { status: "Success" } } } }),
      says: 'got "another"',
    },
    {
      name: "few",
      does: () => [],
      says: "conversion webhook for stable.example.com/v1, Kind=Few returned 0 objects, expected 1",
    },
    {
      name: "lazy",
      does: (review: Any) => review.request.objects,
      says: "conversion webhook for stable.example.com/v1, Kind=Lazy returned invalid object at index 0: invalid groupVersion (expected stable.example.com/v2, received stable.example.com/v1)",
    },
    {
      name: "renamer",
      does: (review: Any) =>
        convertHostPort(review).map((object: Any) => ({ ...object, metadata: { ...object.metadata, name: "other" } })),
      says: "conversion webhook for stable.example.com/v1, Kind=Renamer returned invalid object: must have the same name: a != other",
    },
    {
      name: "labeller",
      does: (review: Any) =>
        convertHostPort(review).map((object: Any) => ({ ...object, metadata: { ...object.metadata, labels: { "bad!": "x" } } })),
      says: 'returned invalid metadata: metadata.labels: Invalid value: "bad!"',
    },
  ])("a $name webhook's fault is told", async ({ name, does, says }) => {
    const plural = `${name}s`;
    hooks.on(`/${plural}`, does);
    await define(plural, hostPorts, webhook(plural));
    expect((await create(plural, "v1", "a", { hostPort: "h:1" })).status).toBe(201);
    for (const asked of [path(plural, "v2", "a"), path(plural, "v2")]) {
      const answer = await ask("GET", asked);
      expect(answer.status).toBe(500);
      expect(answer.body.message).toContain(says);
    }
    const refused = await create(plural, "v2", "b", { host: "h", port: "1" });
    expect(refused.status).toBe(500);
    expect((await ask("GET", path(plural, "v1", "b"))).status).toBe(404);
    // The version that is stored needs nobody.
    expect((await ask("GET", path(plural, "v1", "a"))).status).toBe(200);
  });

  test("of metadata, labels and annotations alone are taken from the webhook", async () => {
    hooks.on("/metas", (review) =>
      convertHostPort(review).map((object: Any) => ({
        ...object,
        metadata: { ...object.metadata, generation: 77, labels: { by: "webhook" }, finalizers: ["x.y/z"] },
      })),
    );
    await define("metas", hostPorts, webhook("metas", ["v1beta1"]));
    await create("metas", "v1", "a", { hostPort: "h:1" });
    const { metadata } = (await ask("GET", path("metas", "v2", "a"))).body;
    expect(metadata).toMatchObject({ labels: { by: "webhook" }, generation: 1 });
    expect(metadata.finalizers).toBeUndefined();
    expect(hooks.take("/metas")[0].apiVersion).toBe("apiextensions.k8s.io/v1beta1");
  });

  test("a webhook that nobody runs is told with its address; the others are served meanwhile", async () => {
    await define("absents", hostPorts, {
      strategy: "Webhook",
      webhook: { clientConfig: { url: "https://127.0.0.1:1/convert" }, conversionReviewVersions: ["v1"] },
    });
    await create("absents", "v1", "a", { hostPort: "h:1" });
    const answer = await ask("GET", path("absents", "v2", "a"));
    expect(answer.body.message).toBe(
      'conversion webhook for stable.example.com/v1, Kind=Absent failed: Post "https://127.0.0.1:1/convert?timeout=30s": dial tcp 127.0.0.1:1: connect: connection refused',
    );
    const metrics = (await ask("GET", "/metrics")).text;
    expect(metrics).toContain(
      'apiserver_conversion_webhook_request_total{failure_type="conversion_webhook_call_failure",result="failure"}',
    );
    expect(metrics).toContain(
      'apiserver_crd_conversion_webhook_duration_seconds_count{crd_name="alphas.stable.example.com",from_version="v1"',
    );
  });

  test("admission webhooks that ask for another version get it", async () => {
    hooks.on("/equals", convertHostPort);
    await define("equals", hostPorts, webhook("equals"));
    hooks.on("/admit", (review) => ({
      body: {
        kind: "AdmissionReview",
        apiVersion: "admission.k8s.io/v1",
        response: {
          uid: review.request.uid,
          allowed: true,
          patchType: "JSONPatch",
          patch: Buffer.from(JSON.stringify([{ op: "replace", path: "/hostPort", value: "patched:9" }])).toString("base64"),
        },
      },
    }));
    const configurations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
    const registered = await ask("POST", configurations, {
      metadata: { name: "equals" },
      webhooks: [
        {
          name: "w.example.com",
          clientConfig: { url: hooks.url("/admit"), caBundle: hooks.caBundle },
          rules: [{ apiGroups: [GROUP], apiVersions: ["v1"], operations: ["CREATE"], resources: ["equals"] }],
          admissionReviewVersions: ["v1"],
          sideEffects: "None",
        },
      ],
    });
    expect(registered.status).toBe(201);
    const created = await create("equals", "v2", "a", { host: "h", port: "1" });
    expect(created, created.text).toMatchObject({ status: 201, body: { host: "patched", port: "9" } });
    const [asked] = hooks.take("/admit");
    expect(asked.request).toMatchObject({
      kind: { version: "v1" },
      requestKind: { version: "v2" },
      object: { apiVersion: `${GROUP}/v1`, hostPort: "h:1" },
    });
  });
});
