import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { type Answered, asker } from "../support/ask.ts";

const GROUP = "numbers.example.com";
const PATH = `/apis/${GROUP}/v1/namespaces/default/numbers`;
const BIG = "9007199254740993";
const MAX = "9223372036854775807";

describe("whole numbers of custom resources", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 });
    ask = asker(cluster);
    const int = { type: "integer" };
    const properties = {
      n: { type: "integer", format: "int64" },
      odd: { ...int, "x-kubernetes-validations": [{ rule: "self % 2 == 1", message: "must be odd" }] },
      list: { type: "array", items: int },
      any: { "x-kubernetes-preserve-unknown-fields": true },
      keyed: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["id"],
        items: { type: "object", required: ["id"], properties: { id: int, text: { type: "string" } } },
      },
      status: { type: "object", properties: { seen: int } },
    };
    const version = (name: string, storage: boolean): object => ({
      name,
      served: true,
      storage,
      schema: { openAPIV3Schema: { type: "object", properties } },
      subresources: { status: {} },
      additionalPrinterColumns: [{ name: "N", type: "integer", jsonPath: ".n" }],
    });
    const made = await ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      metadata: { name: `numbers.${GROUP}` },
      spec: {
        group: GROUP,
        scope: "Namespaced",
        names: { plural: "numbers", singular: "number", kind: "Number" },
        versions: [version("v1", true), version("v2", false)],
      },
    });
    expect(made.status, made.text).toBe(201);
    await vi.waitFor(async () => expect((await ask("GET", PATH)).status).toBe(200), { timeout: 5_000 });
  });
  afterAll(async () => cluster?.stop());

  const body = (name: string, rest: string): string =>
    `{"apiVersion":"${GROUP}/v1","kind":"Number","metadata":{"name":"${name}"},${rest}}`;
  const create = (name: string, rest: string, query = ""): Promise<Answered> => ask("POST", `${PATH}${query}`, body(name, rest));

  test("are stored and shown as they were sent", async () => {
    const rest = `"n":${MAX},"list":[${BIG},1],"any":{"x":-${BIG}}`;
    const created = await create("plain", rest);
    expect(created.status, created.text).toBe(201);
    for (const path of [`${PATH}/plain`, PATH, `${PATH}/plain?pretty=true`, `${PATH.replace("/v1/", "/v2/")}/plain`]) {
      const { text } = await ask("GET", path);
      for (const number of [MAX, `[${BIG},1]`, `-${BIG}`]) expect(text.replace(/\s/g, "")).toContain(number);
    }
    expect((await ask("GET", `${PATH}/plain`, undefined, { accept: "application/yaml" })).text).toContain(`"n": ${MAX}`);
    const table = await ask("GET", PATH, undefined, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" });
    expect(table.text).toContain(`"cells":["plain",${MAX}]`);
    expect((await create("dry", rest, "?dryRun=All")).text).toContain(MAX);
    const watched = await ask("GET", `${PATH}?watch=1&timeoutSeconds=1`);
    expect(watched.text).toContain(`"n":${MAX}`);
  });

  test("are changed by every kind of patch, and kept by those about something else", async () => {
    await create("patched", `"n":${MAX}`);
    const path = `${PATH}/patched`;
    const other = await ask("PATCH", path, { metadata: { labels: { a: "b" } } });
    expect(other.text).toContain(`"n":${MAX}`);
    const merge = await ask("PATCH", path, `{"n":${BIG}}`, { "content-type": "application/merge-patch+json" });
    expect(merge.text).toContain(`"n":${BIG}`);
    const steps = `[{"op":"test","path":"/n","value":${BIG}},{"op":"add","path":"/list","value":[-${MAX}]}]`;
    const json = await ask("PATCH", path, steps, { "content-type": "application/json-patch+json" });
    expect(json.text).toContain(`"list":[-${MAX}]`);
    const status = await ask("PATCH", `${path}/status`, `{"status":{"seen":${BIG}}}`, {
      "content-type": "application/merge-patch+json",
    });
    expect(status.text).toContain(`"seen":${BIG}`);
    expect(status.text).toContain(`"n":${BIG}`);
  });

  test("are applied from YAML, and told apart where floats would be the same", async () => {
    const apply = (manager: string, n: string, query = ""): Promise<Answered> =>
      ask(
        "PATCH",
        `${PATH}/applied?fieldManager=${manager}${query}`,
        `apiVersion: ${GROUP}/v1\nkind: Number\nmetadata: {name: applied}\n"n": ${n}\nkeyed: [{id: ${n}, text: ${manager}}]\n`,
        { "content-type": "application/apply-patch+yaml" },
      );
    expect((await apply("one", BIG)).text).toContain(`"n":${BIG}`);
    const conflict = await apply("two", "9007199254740992");
    expect(conflict, conflict.text).toMatchObject({ status: 409 });
    const forced = await apply("two", "9007199254740992", "&force=true");
    expect(forced.text).toContain('"n":9007199254740992');
  });

  test("are judged exactly", async () => {
    expect((await create("odd", `"odd":${BIG}`)).status).toBe(201);
    const even = await create("even", '"odd":9007199254740994');
    expect(even).toMatchObject({ status: 422 });
    expect(even.body.message).toContain("must be odd");
  });

  test("that do not fit 64 bits are floats", async () => {
    const answer = await create("float", '"n":9223372036854775808');
    expect(answer.status, answer.text).toBe(422);
    expect(answer.body.message).toContain('must be of type int64: "float64"');
  });
});
