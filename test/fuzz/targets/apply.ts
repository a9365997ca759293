import { StatusError } from "#apimachinery/api-errors/status.ts";
import { applyConfiguration } from "#apimachinery/managedfields/apply.ts";
import type { JsonMap } from "#apimachinery/managedfields/field-values.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { decodeObject } from "#apimachinery/schema/decode.ts";
import { DecodeError } from "#apimachinery/schema/exact-decode.ts";
import { normalizeObject } from "#apimachinery/schema/normalize.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import { parseYaml } from "#apimachinery/schema/yaml.ts";
import { OBJECTS } from "../bodies.ts";
import { check, type FuzzTarget, refusing } from "../target.ts";

const schema = schemaFor("", "v1", "Pod");

function apply(live: ApiObject | undefined, config: JsonMap, force: boolean): ApiObject | undefined {
  check(schema !== undefined, "there are pods");
  return refusing([StatusError, DecodeError], () => {
    const { object, managedFields } = applyConfiguration({
      apiVersion: "v1",
      kind: "Pod",
      schema,
      resetFields: ["status"],
      live,
      config,
      manager: "fuzz",
      subresource: "",
      force,
      now: "2026-01-01T00:00:00Z",
      versions: () => undefined,
      convert: (value) => value,
    });
    const decoded = decodeObject(schema, structuredClone(object)).object as unknown as ApiObject;
    const metadata = { ...decoded.metadata, managedFields };
    return normalizeObject(schema, { ...decoded, metadata, apiVersion: "v1", kind: "Pod" } as ApiObject);
  });
}

/** Configurations laid on nothing, and on a Pod that another manager applied. What was applied twice is there once. */
export const target: FuzzTarget = {
  seeds: [
    ...OBJECTS.slice(0, 1).map((object) => JSON.stringify({ ...object, metadata: { name: "a" } })),
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {x: y}}\nspec: {containers: [{name: c, image: i, ports: [{containerPort: 80}, {containerPort: 80}]}]}\n",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a, finalizers: [x, x]}\nspec: {tolerations: [], containers: null, volumes: [{name: v, emptyDir: {}}]}\n",
    '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","labels":{"__proto__":"x","constructor":"y"}},"__proto__":{"z":1}}',
  ],
  run: (bytes) => {
    const config = refusing([Error], () => parseYaml(bytes.toString("utf8")))?.value;
    if (typeof config !== "object" || config === null || Array.isArray(config)) return;
    const live = OBJECTS[0] as ApiObject;
    apply(live, config as JsonMap, true);
    apply(live, config as JsonMap, false);
    const made = apply(undefined, config as JsonMap, false);
    if (made === undefined) return;
    // An empty protocol is another key of a port than the one that it is defaulted to, upstream too: such ports come again.
    if (/"protocol":(?:""|null)/.test(JSON.stringify(config))) return;
    const again = apply(made, config as JsonMap, false);
    check(JSON.stringify(again) === JSON.stringify(made), `${JSON.stringify(made)} becomes ${JSON.stringify(again)}`);
  },
};
