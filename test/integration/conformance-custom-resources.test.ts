import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { type Answered, asker } from "../support/ask.ts";
import { startWatch } from "../support/watch.ts";

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const GROUP = "cr.example.com";
const KEEP = { "x-kubernetes-preserve-unknown-fields": true };

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

describe("custom resources", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 });
    ask = asker(cluster);
  });
  afterAll(() => cluster?.stop());

  const definition = (plural: string, schema: object, more: object = {}) => ({
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: "Cluster",
      names: { plural, kind: plural[0]?.toUpperCase() + plural.slice(1, -1) },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", ...schema } } }],
      ...more,
    },
  });
  /** Defines a resource and waits until it is served; the path of its objects. */
  const define = async (plural: string, schema: object, more: object = {}): Promise<string> => {
    const made = await ask("POST", DEFINITIONS, definition(plural, schema, more));
    expect(made.status, made.text).toBe(201);
    const path = `/apis/${GROUP}/v1/${plural}`;
    await vi.waitFor(async () => expect((await ask("GET", path)).status).toBe(200), { timeout: 10_000 });
    return path;
  };
  const kindOf = (path: string): string => {
    const plural = path.split("/").at(-1) ?? "";
    return `${plural[0]?.toUpperCase()}${plural.slice(1, -1)}`;
  };
  const object = (path: string, rest: object, name = "one") => ({
    apiVersion: `${GROUP}/v1`,
    kind: kindOf(path),
    metadata: { name },
    ...rest,
  });
  const apply = (path: string, body: string): Promise<Answered> =>
    ask("PATCH", `${path}?fieldManager=test&fieldValidation=Strict`, body, { "content-type": "application/apply-patch+yaml" });

  describe("definitions", () => {
    test("are made, found, listed, watched, patched in their status, and go in a collection", async () => {
      const start = (await ask("GET", DEFINITIONS)).body.metadata.resourceVersion;
      using watching = await startWatch(
        cluster,
        `${DEFINITIONS}?watch=true&labelSelector=test%3Dlisted&resourceVersion=${start}`,
      );
      for (const plural of ["firsts", "seconds", "thirds"]) {
        const { metadata, spec } = definition(plural, {});
        await ask("POST", DEFINITIONS, { metadata: { ...metadata, labels: { test: "listed" } }, spec });
      }
      const listed = `${DEFINITIONS}?labelSelector=test%3Dlisted`;
      expect((await ask("GET", listed)).body.items).toHaveLength(3);
      const status = `${DEFINITIONS}/firsts.${GROUP}/status`;
      await vi.waitFor(
        async () => {
          const conditions = (await ask("GET", status)).body.status.conditions ?? [];
          expect(conditions.map((one: Any) => `${one.type}=${one.status}`).sort()).toEqual([
            "Established=True",
            "NamesAccepted=True",
          ]);
        },
        { timeout: 20_000 },
      );
      const patched = await ask("PATCH", status, [
        { op: "add", path: "/status/conditions/-", value: { type: "StatusPatch", status: "True", reason: "Test" } },
      ]);
      expect(patched.body.status.conditions.at(-1)).toMatchObject({ type: "StatusPatch" });
      expect((await ask("DELETE", listed)).status).toBe(200);
      await vi.waitFor(async () => expect((await ask("GET", listed)).body.items).toEqual([]), { timeout: 10_000 });
      await vi.waitFor(() => expect(watching.events.filter(({ type }) => type === "DELETED")).toHaveLength(3), {
        timeout: 20_000,
      });
      expect(watching.events.filter(({ type }) => type === "ADDED")).toHaveLength(3);
    });

    test.each([
      [
        "speaks of what is not there",
        { properties: { x: { type: "integer" } }, "x-kubernetes-validations": [{ rule: "self.z == 100" }] },
        "undefined field 'z'",
      ],
      [
        "has a syntax error",
        { properties: { x: { type: "integer", "x-kubernetes-validations": [{ rule: "self = 42" }] } } },
        "Syntax error: token recognition error at: '= '",
      ],
      [
        "may cost too much",
        {
          properties: {
            list: {
              type: "array",
              items: {
                type: "array",
                items: {
                  type: "array",
                  items: { type: "string" },
                  "x-kubernetes-validations": [{ rule: "self.all(s, s == 'string constant')" }],
                },
              },
            },
          },
        },
        "estimated rule cost exceeds budget by factor of more than 100x",
      ],
    ])("are refused when a rule %s", async (_, schema, message) => {
      const answer = await ask("POST", DEFINITIONS, definition("refused", schema));
      expect(answer.status).toBe(422);
      expect(answer.body.message).toContain(message);
    });
  });

  test("are held to rules, those of changes included", async () => {
    const path = await define("ruleds", {
      properties: {
        spec: {
          type: "object",
          properties: {
            x: { type: "integer" },
            y: { type: "integer" },
            up: { type: "integer", "x-kubernetes-validations": [{ rule: "self > oldSelf" }] },
          },
          "x-kubernetes-validations": [{ rule: "!has(self.x) || !has(self.y) || self.x + self.y < 10" }],
        },
      },
    });
    expect((await ask("POST", path, object(path, { spec: { x: 1, y: 2, up: 5 } }))).status).toBe(201);
    const refused = await ask("POST", path, object(path, { spec: { x: 8, y: 2 } }, "two"));
    expect(refused).toMatchObject({ status: 422 });
    expect(refused.body.message).toContain("failed rule");
    expect((await ask("PATCH", `${path}/one`, { spec: { up: 6 } })).status).toBe(200);
    const down = await ask("PATCH", `${path}/one`, { spec: { up: 4 } });
    expect(down.body.message).toContain("failed rule");
  });

  test("stop at rules that cost too much when they run", async () => {
    const path = await define("costlies", {
      properties: {
        spec: {
          type: "object",
          properties: { x: { type: "array", maxItems: 1000, items: { type: "integer" } } },
          "x-kubernetes-validations": Array.from({ length: 5 }, () => ({ rule: "self.x.all(a, self.x.all(b, a == b))" })),
        },
      },
    });
    const answer = await ask("POST", path, object(path, { spec: { x: Array(1000).fill(1) } }));
    expect(answer.status).toBe(422);
    expect(answer.body.message).toContain("call cost exceeds limit");
  });

  test("get defaults when they are made and when they are read, and keep what they got", async () => {
    const path = await define("defaulteds", { properties: { a: { type: "string" }, b: { type: "string" } } });
    await ask("POST", path, object(path, {}));
    const change = (patch: object[]) => ask("PATCH", `${DEFINITIONS}/defaulteds.${GROUP}`, patch);
    const properties = "/spec/versions/0/schema/openAPIV3Schema/properties";
    await change([{ op: "add", path: `${properties}/a/default`, value: "A" }]);
    await vi.waitFor(async () => expect((await ask("GET", `${path}/one`)).body.a).toBe("A"), { timeout: 10_000 });
    expect((await ask("POST", path, object(path, {}, "two"))).body.a).toBe("A");
    await change([
      { op: "remove", path: `${properties}/a/default` },
      { op: "add", path: `${properties}/b/default`, value: "B" },
    ]);
    await vi.waitFor(async () => expect((await ask("GET", `${path}/two`)).body).toMatchObject({ a: "A", b: "B" }), {
      timeout: 10_000,
    });
    expect((await ask("GET", `${path}/one`)).body.a).toBeUndefined();
  });

  test("are watched as any other object", async () => {
    const path = await define("watcheds", KEEP);
    using watching = await startWatch(cluster, `${path}?watch=true`);
    for (const name of ["a", "b"]) {
      await ask("POST", path, object(path, { n: 1 }, name));
      await ask("PATCH", `${path}/${name}`, { n: 2 });
      await ask("DELETE", `${path}/${name}`);
    }
    const events = ["a", "b"].flatMap((name) => [`ADDED ${name}`, `MODIFIED ${name}`, `DELETED ${name}`]);
    await vi.waitFor(() => expect(watching.seen).toEqual(events), { timeout: 20_000 });
  });

  describe("with unknown fields", () => {
    const spec = (more: object) => ({
      properties: {
        spec: {
          type: "object",
          properties: {
            foo: { type: "string" },
            ports: { type: "array", items: { type: "object", properties: { port: { type: "integer" } } } },
          },
          ...more,
        },
      },
    });
    const head = (path: string, more = "") => `apiVersion: ${GROUP}/v1\nkind: ${kindOf(path)}\nmetadata:\n  name: one\n${more}`;

    test("are refused where the schema does not keep them", async () => {
      const path = await define("stricts", spec({}));
      const applied = await apply(`${path}/one`, `${head(path)}unknownField: x\nspec:\n  foo: a\n`);
      expect(applied.text).toContain(".unknownField: field not declared in schema");
      const created = await ask(
        "POST",
        `${path}?fieldValidation=Strict`,
        object(path, { unknownField: 1, spec: { bar: 1, ports: [{ port: 1, x: 2 }] } }),
      );
      expect(created.body.message).toContain(
        'strict decoding error: unknown field "spec.bar", unknown field "spec.ports[0].x", unknown field "unknownField"',
      );
      const warned = await ask("POST", path, object(path, { unknownField: 1 }));
      expect(warned.headers.warning).toBe('299 - "unknown field \\"unknownField\\""');
    });

    test("are kept where it does, but nothing stands twice", async () => {
      const path = await define("keepings", spec(KEEP));
      const applied = await apply(`${path}/one`, `${head(path)}spec:\n  unknown: uk1\n  foo: foo1\n`);
      expect(applied).toMatchObject({ status: 201, body: { spec: { unknown: "uk1" } } });
      const twice = await apply(`${path}/one`, `${head(path)}spec:\n  unknown: uk1\n  foo: foo1\n  foo: foo2\n`);
      expect(twice.body.message).toContain('line 8: key "foo" already set in map');
      const created = await ask(
        "POST",
        `${path}?fieldValidation=Strict`,
        `{"apiVersion":"${GROUP}/v1","kind":"${kindOf(path)}","metadata":{"name":"two"},"spec":{"foo":"a","foo":"b","any":1}}`,
      );
      expect(created.body.message).toContain('duplicate field "spec.foo"');
    });

    test("in their metadata and that of what is embedded in them are refused", async () => {
      const template = { type: "object", "x-kubernetes-embedded-resource": true, ...KEEP };
      const path = await define("embeddings", { properties: { spec: { type: "object", ...KEEP, properties: { template } } } });
      const body = `${head(path, "  unknownMeta: x\n")}spec:\n  template:\n    apiVersion: foo/v1\n    kind: Sub\n    metadata:\n      unknownSubMeta: x\n      name: sub\n`;
      const { text } = await apply(`${path}/one`, body);
      expect(text).toContain(".metadata.unknownMeta: field not declared in schema");
      expect(text).toContain(".spec.template.metadata.unknownSubMeta: field not declared in schema");
      const created = await ask(
        "POST",
        `${path}?fieldValidation=Strict`,
        object(path, {
          metadata: { name: "one", unknownMeta: 1 },
          spec: { template: { apiVersion: "foo/v1", kind: "Sub", metadata: { name: "s", unknownSubMeta: 1 } } },
        }),
      );
      expect(created.body.message).toContain(
        'unknown field "metadata.unknownMeta", unknown field "spec.template.metadata.unknownSubMeta"',
      );
    });

    test.each([
      ["unknown", { spec: { unknownField: "foo" } }, 'unknown field "spec.unknownField"'],
      ["in the metadata", { metadata: { name: "d", unknownMeta: "foo" } }, 'unknown field "metadata.unknownMeta"'],
    ])("are told of objects with types, too: %s", async (_, rest, message) => {
      const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
      const whole = {
        metadata: { name: "d" },
        ...rest,
        spec: { selector: { matchLabels: { a: "b" } }, template, ...("spec" in rest ? rest.spec : {}) },
      };
      const answer = await ask("POST", "/apis/apps/v1/namespaces/default/deployments?fieldValidation=Strict", whole);
      expect(answer.status).toBe(400);
      expect(answer.body.message).toContain(`strict decoding error: ${message}`);
    });
  });

  describe("in the OpenAPI documents", () => {
    const v2 = async () => (await ask("GET", "/openapi/v2")).body;
    const v3 = async () => (await ask("GET", `/openapi/v3/apis/${GROUP}/v1`)).body;
    const typeName = (plural: string) => `com.example.cr.v1.${plural[0]?.toUpperCase()}${plural.slice(1, -1)}`;

    test("are published with their schemas, renamed with their versions, and gone when not served", async () => {
      const schema = {
        description: "Foo is not a real kind",
        properties: { spec: { type: "object", properties: { bar: { type: "string", description: "The bar" } } } },
      };
      await define("publisheds", schema);
      await vi.waitFor(async () => expect((await v2()).definitions[typeName("publisheds")]).toMatchObject(schema), {
        timeout: 10_000,
      });
      await vi.waitFor(async () => expect((await v3()).components.schemas[typeName("publisheds")]).toMatchObject(schema), {
        timeout: 10_000,
      });
      expect((await v3()).paths[`/apis/${GROUP}/v1/publisheds/{name}`].patch).toBeDefined();
      const index = (await ask("GET", "/openapi/v3")).body.paths[`apis/${GROUP}/v1`].serverRelativeURL;
      expect((await ask("GET", index)).headers["cache-control"]).toContain("immutable");
      const renamed = {
        op: "add",
        path: "/spec/versions/-",
        value: { name: "v2", served: true, storage: false, schema: { openAPIV3Schema: { type: "object", ...schema } } },
      };
      await ask("PATCH", `${DEFINITIONS}/publisheds.${GROUP}`, [renamed]);
      const second = typeName("publisheds").replace("v1", "v2");
      await vi.waitFor(async () => expect(Object.keys((await v2()).definitions)).toContain(second), { timeout: 10_000 });
      await ask("PATCH", `${DEFINITIONS}/publisheds.${GROUP}`, [
        { op: "replace", path: "/spec/versions/1/served", value: false },
      ]);
      await vi.waitFor(async () => expect(Object.keys((await v2()).definitions)).not.toContain(second), { timeout: 10_000 });
      expect(Object.keys((await v2()).definitions)).toContain(typeName("publisheds"));
    });

    test.each<[string, object, object]>([
      ["wholes", { ...KEEP }, { type: "object", ...KEEP }],
      ["partlies", { properties: { spec: { type: "object", ...KEEP } } }, { properties: { spec: { type: "object", ...KEEP } } }],
    ])("are open where unknown fields are kept: %s", async (plural, schema, want) => {
      await define(plural, schema);
      await vi.waitFor(async () => expect((await v3()).components.schemas[typeName(plural)]).toMatchObject(want), {
        timeout: 10_000,
      });
    });
  });
});
