import { describe, expect, test } from "vitest";
import { seededRandom } from "#base/random.ts";
import { StatusError } from "../api-errors/status.ts";
import type { ApiObject } from "../meta/api-object.ts";
import { schemaFor } from "../schema/registry.ts";
import { type ApplyOptions, applyAndReadBack } from "./apply-and-read-back.ts";
import type { JsonMap } from "./field-values.ts";

function owners(object: ApiObject): Record<string, unknown> {
  return Object.fromEntries(
    (object.metadata.managedFields ?? []).map((entry) => [`${entry.operation} ${entry.manager}`, entry.fieldsV1]),
  );
}

function refusal(run: () => unknown): { code: number; message: string; causes: unknown } {
  try {
    run();
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const causes = error.status.details?.causes?.map(({ field, message }) => `${field}: ${message}`);
    return { code: error.code, message: error.message, causes };
  }
  return expect.unreachable();
}

const configMap = (data: unknown, metadata: object = {}): JsonMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", ...metadata },
  ...(data === undefined ? {} : { data }),
});

const pod = (spec: object): JsonMap => ({ apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, spec });
const containers = (...names: string[]): object => ({ containers: names.map((name) => ({ name, image: "i" })) });
const names = (object: ApiObject): string[] =>
  ((object as unknown as { spec: { containers: { name: string }[] } }).spec.containers ?? []).map(({ name }) => name);

describe("who owns what", () => {
  test("leaves and items are owned, structs and maps on the way are not", () => {
    const made = applyAndReadBack(
      undefined,
      pod({ containers: [{ name: "x", ports: [{ containerPort: 80 }] }], nodeSelector: { a: "b" } }),
      "m",
    );
    const ports = { 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} } };
    const item = { ".": {}, "f:name": {}, "f:ports": ports };
    expect(owners(made)).toEqual({
      "Apply m": { "f:spec": { "f:containers": { 'k:{"name":"x"}': item }, "f:nodeSelector": {} } },
    });
  });

  test("equal values are shared, and nothing is written for those who only join", () => {
    const one = applyAndReadBack(undefined, configMap({ k: "v" }), "a");
    const two = applyAndReadBack(one, configMap({ k: "v" }), "b", { now: "2026-01-02T00:00:00Z" });
    expect(two.metadata.managedFields?.map(({ manager, time }) => [manager, time])).toEqual([
      ["b", undefined],
      ["a", "2026-01-01T00:00:00Z"],
    ]);
  });

  test("what was there before the first apply has a manager of its own", () => {
    const live = { ...configMap({ k: "v", l: "w" }), metadata: { name: "a", uid: "u" } } as unknown as ApiObject;
    expect(owners(applyAndReadBack(live, configMap({ k: "v" }), "m"))).toEqual({
      "Apply m": { "f:data": { "f:k": {} } },
      "Update before-first-apply": { "f:data": { ".": {}, "f:k": {}, "f:l": {} } },
    });
  });

  test("who owned a part of what has become atomic owns it all", () => {
    const entry = { manager: "n", operation: "Apply", apiVersion: "v1", fieldsType: "FieldsV1" };
    const managedFields = [{ ...entry, fieldsV1: { "f:spec": { "f:nodeSelector": { "f:a": {} } } } }];
    const config = pod({ ...containers("x"), nodeSelector: { a: "b" } });
    const live = { ...config, metadata: { name: "a", uid: "u", managedFields } } as unknown as ApiObject;
    expect(owners(applyAndReadBack(live, pod(containers("x")), "m"))["Apply n"]).toEqual({ "f:spec": { "f:nodeSelector": {} } });
  });

  test("fields that the endpoint does not write are not owned", () => {
    const made = applyAndReadBack(undefined, { ...pod(containers("x")), status: { message: "m" } }, "m");
    expect(JSON.stringify(owners(made))).not.toContain("status");
  });
});

describe("conflicts", () => {
  test("every field has a cause, grouped by manager", () => {
    const one = applyAndReadBack(undefined, configMap({ k: "1", l: "1" }, { labels: { x: "1" } }), "a");
    const { code, message, causes } = refusal(() =>
      applyAndReadBack(one, configMap({ k: "2", l: "1" }, { labels: { x: "2" } }), "b"),
    );
    expect(code).toBe(409);
    expect(message).toBe('Apply failed with 2 conflicts: conflicts with "a":\n- .data.k\n- .metadata.labels.x');
    expect(causes).toEqual(['.data.k: conflict with "a"', '.metadata.labels.x: conflict with "a"']);
  });

  test("force takes the fields over", () => {
    const one = applyAndReadBack(undefined, configMap({ k: "1", l: "1" }), "a");
    expect(owners(applyAndReadBack(one, configMap({ k: "2" }), "b", { force: true }))).toEqual({
      "Apply a": { "f:data": { "f:l": {} } },
      "Apply b": { "f:data": { "f:k": {} } },
    });
  });

  test("managers that update are named with version and subresource", () => {
    const entry = { manager: "hpa", operation: "Update", apiVersion: "v1", subresource: "scale", fieldsType: "FieldsV1" };
    const managedFields = [{ ...entry, fieldsV1: { "f:data": { "f:k": {} } } }];
    const live = { ...configMap({ k: "v" }), metadata: { name: "a", uid: "u", managedFields } } as unknown as ApiObject;
    expect(refusal(() => applyAndReadBack(live, configMap({ k: "w" }), "m")).message).toBe(
      'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale" using v1: .data.k',
    );
  });

  test("kubectl may change what client-side apply has left as it was", () => {
    const applied = JSON.stringify({ ...configMap({ k: "v", l: "v" }) });
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": applied };
    const entry = { manager: "kubectl-client-side-apply", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1" };
    const managedFields = [{ ...entry, fieldsV1: { "f:data": { ".": {}, "f:k": {}, "f:l": {} } } }];
    const metadata = { name: "a", uid: "u", annotations, managedFields };
    const live = { ...configMap({ k: "v", l: "changed" }), metadata } as unknown as ApiObject;
    expect(applyAndReadBack(live, configMap({ k: "w" }), "kubectl")).toMatchObject({ data: { k: "w", l: "changed" } });
    expect(refusal(() => applyAndReadBack(live, configMap({ l: "w" }), "kubectl")).causes).toHaveLength(1);
    expect(refusal(() => applyAndReadBack(live, configMap({ k: "w" }), "other")).causes).toHaveLength(1);
  });
});

describe("removal", () => {
  test("what a manager drops goes, unless another owns it", () => {
    const one = applyAndReadBack(undefined, configMap({ k: "v", l: "v", m: "v" }), "a");
    const two = applyAndReadBack(one, configMap({ l: "v" }), "b");
    expect(applyAndReadBack(two, configMap({ m: "v" }), "a")).toMatchObject({ data: { l: "v", m: "v" } });
  });

  test("a struct goes with its last field", () => {
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "h" }] } };
    const one = applyAndReadBack(undefined, pod({ ...containers("x"), affinity }), "a");
    expect(applyAndReadBack(one, pod(containers("x")), "a")).not.toHaveProperty("spec.affinity");
  });

  test("null is wanted by nobody and takes nothing away", () => {
    const one = applyAndReadBack(undefined, configMap({ k: "v" }), "a");
    expect(applyAndReadBack(one, configMap(null), "b")).toMatchObject({ data: { k: "v" } });
  });

  test("items go one by one", () => {
    const one = applyAndReadBack(undefined, pod(containers("a", "b")), "one");
    const two = applyAndReadBack(one, pod(containers("b", "c")), "two");
    expect(names(two)).toEqual(["a", "b", "c"]);
    expect(names(applyAndReadBack(two, pod(containers()), "one"))).toEqual(["b", "c"]);
  });
});

test.each([
  { live: ["a", "b", "c"], config: ["c", "a"], want: ["b", "c", "a"] },
  { live: ["a", "b"], config: ["c"], want: ["a", "b", "c"] },
  { live: ["a", "b"], config: ["b", "x", "a"], want: ["b", "x", "a"] },
  { live: ["a", "b", "c", "d"], config: ["d", "b"], want: ["a", "c", "d", "b"] },
])("order: $config onto $live is $want", ({ live, config, want }) => {
  const one = applyAndReadBack(undefined, pod(containers(...live)), "one");
  expect(names(applyAndReadBack(one, pod(containers(...config)), "two"))).toEqual(want);
});

test.each([
  { name: "unknown field", config: { ...configMap({}), bogus: 1 }, want: ".bogus: field not declared in schema" },
  {
    name: "a map instead of a text",
    config: configMap({ k: { a: [1, "x"] } }),
    want: '.data.k: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"a":[]interface {}{1, "x"}}}',
  },
  {
    name: "a text instead of a number",
    config: { ...pod({ terminationGracePeriodSeconds: "3" }) },
    want: ".spec.terminationGracePeriodSeconds: expected numeric (int or float), got string",
  },
  { name: "repeated items", config: pod(containers("x", "x")), want: '.spec.containers: duplicate entries for key [name="x"]' },
  {
    name: "repeated values",
    config: configMap({}, { finalizers: ["a/b", "a/b"] }),
    want: '.metadata.finalizers: duplicate entries for key [="a/b"]',
  },
  {
    name: "below an atomic list",
    config: pod({ ...containers("x"), tolerations: [{ a: 1 }] }),
    want: ".spec.tolerations[0].a: field not declared in schema",
  },
  {
    name: "a null item",
    config: pod({ containers: [null] }),
    want: ".spec.containers: element 0: associative list with keys may not have a null element",
  },
])("refused: $name", ({ config, want }) => {
  const { code, message } = refusal(() => applyAndReadBack(undefined, config, "m"));
  expect(message).toBe(`failed to create typed patch object (/a; /v1, Kind=${config.kind}): ${want}`);
  expect(code).toBe(500);
});

test("managers of other versions are asked in theirs, those of lost versions are dropped", () => {
  const entry = { operation: "Apply", fieldsType: "FieldsV1", fieldsV1: { "f:data": { "f:old": {} } } };
  const managedFields = [
    { ...entry, manager: "other", apiVersion: "v0" },
    { ...entry, manager: "lost", apiVersion: "gone" },
  ];
  const live = { ...configMap({ new: "v" }), metadata: { name: "a", uid: "u", managedFields } } as unknown as ApiObject;
  const schema = schemaFor("", "v1", "ConfigMap") ?? expect.unreachable();
  const rename = (object: JsonMap, from: string, to: string): JsonMap => {
    const [before, after] = from === "v1" ? ["new", "old"] : ["old", "new"];
    const data = object.data as Record<string, unknown> | undefined;
    if (data === undefined || data === null || !(before in data)) return { ...object, apiVersion: to };
    const { [before]: value, ...rest } = data;
    return { ...object, apiVersion: to, data: { ...rest, [after]: value } };
  };
  const options: ApplyOptions = {
    versions: (apiVersion) => (apiVersion === "v0" ? { apiVersion, schema, resetFields: [] } : undefined),
    convert: rename,
  };
  expect(refusal(() => applyAndReadBack(live, configMap({ new: "w" }), "m", options)).causes).toEqual([
    '.data.old: conflict with "other"',
  ]);
  expect(Object.keys(owners(applyAndReadBack(live, configMap({ more: "w" }), "m", options)))).toEqual(["Apply other", "Apply m"]);
});

test("random applies follow a model that only knows sets of keys", () => {
  const random = seededRandom(7);
  const pick = (count: number): number => Math.floor(random.float() * count);
  let live: ApiObject | undefined;
  /** What each manager owns. */
  const wanted = new Map<string, Map<string, string>>();
  const values = new Map<string, string>();
  for (let step = 0; step < 400; step++) {
    const manager = `m${pick(4)}`;
    const config = new Map(Array.from({ length: pick(4) }, () => [`k${pick(5)}`, `v${pick(2)}`] as [string, string]));
    const others = [...wanted].filter(([name]) => name !== manager);
    const clashes = [...config].filter(([key, value]) => others.some(([, owned]) => owned.has(key)) && values.get(key) !== value);
    const force = pick(2) === 0;
    const run = (): ApiObject =>
      applyAndReadBack(live, configMap(config.size === 0 ? undefined : Object.fromEntries(config)), manager, { force });
    if (clashes.length > 0 && !force) {
      expect(refusal(run).code).toBe(409);
      continue;
    }
    for (const [key] of clashes) for (const [, owned] of others) owned.delete(key);
    for (const key of wanted.get(manager)?.keys() ?? []) {
      if (!config.has(key) && !others.some(([, owned]) => owned.has(key))) values.delete(key);
    }
    for (const [key, value] of config) values.set(key, value);
    wanted.set(manager, config);
    live = run();
    expect(Reflect.get(live, "data") ?? {}).toEqual(Object.fromEntries(values));
    const model = [...wanted].filter(([, owned]) => owned.size > 0).map(([name, owned]) => [name, [...owned.keys()].sort()]);
    const seen = (live.metadata.managedFields ?? [])
      .map(({ manager: name = "", fieldsV1 }) => [
        name,
        Object.keys((fieldsV1?.["f:data"] ?? {}) as object).map((key) => key.slice(2)),
      ])
      .filter(([, keys]) => (keys?.length ?? 0) > 0);
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(model));
  }
});
