import fc from "fast-check";
import { expect, test } from "vitest";
import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { customType } from "#apiextensions-apiserver/schema/custom-type.ts";
import { compileStructural } from "#apiextensions-apiserver/schema/structural.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { applyConfiguration } from "#apimachinery/managedfields/apply.ts";
import { trackUpdate } from "#apimachinery/managedfields/update.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { decodeObject } from "#apimachinery/schema/decode.ts";
import { normalizeObject } from "#apimachinery/schema/normalize.ts";
import { type Conflicts, OwnershipModel, pathsOf, type Spec } from "./ownership-model.ts";
import { runs } from "./runs.ts";

const STRING: JSONSchemaProps = { type: "string" };
const STRINGS: JSONSchemaProps = { type: "object", additionalProperties: STRING };
const LIST: JSONSchemaProps = { type: "array", items: STRING };
const properties: Record<string, JSONSchemaProps> = {
  s: STRING,
  t: { type: "integer" },
  m: STRINGS,
  am: { ...STRINGS, "x-kubernetes-map-type": "atomic" },
  al: { ...LIST, "x-kubernetes-list-type": "atomic" },
  set: { ...LIST, "x-kubernetes-list-type": "set" },
  list: {
    type: "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["k"],
    items: { type: "object", required: ["k"], properties: { k: STRING, v: { type: "integer" }, n: STRINGS } },
  },
};
const structural = compileStructural({ type: "object", properties: { spec: { type: "object", properties } } });
const schema = customType("example.v1.Widget", "Widget", structural);
const APPLY = { apiVersion: "example.com/v1", kind: "Widget" };

const KEY = fc.constantFrom("a", "b", "c");
const TEXT = fc.constantFrom("x", "y");
const entries = fc.dictionary(KEY, TEXT, { minKeys: 1, maxKeys: 3 });
const parts = {
  s: TEXT,
  t: fc.constantFrom(1, 2),
  m: entries,
  am: entries,
  al: fc.array(TEXT, { minLength: 1, maxLength: 3 }),
  set: fc.uniqueArray(KEY, { minLength: 1 }),
  list: fc.uniqueArray(fc.record({ k: KEY, v: fc.constantFrom(1, 2), n: entries }, { requiredKeys: ["k"] }), {
    minLength: 1,
    selector: ({ k }) => k,
  }),
};
const spec: fc.Arbitrary<Spec> = fc.record(parts, { requiredKeys: [] });

type Step =
  | { readonly type: "apply"; readonly manager: string; readonly spec: Spec | undefined; readonly force: boolean }
  /** Changes what is there already: which of it, and by what. */
  | { readonly type: "update"; readonly manager: string; readonly at: number; readonly text: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("apply" as const),
      manager: fc.constantFrom("one", "two", "three"),
      spec: fc.option(spec, { nil: undefined, freq: 9 }),
      force: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("update" as const),
      manager: fc.constantFrom("user", "other"),
      at: fc.nat(50),
      text: TEXT,
    }),
  },
);

test("apply does what a model of sets of paths does", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 10 }), (steps) => {
      const model = new OwnershipModel();
      let live: ApiObject | undefined;
      for (const [i, each] of steps.entries()) {
        const now = new Date(Date.UTC(2026, 0, 1, 0, 0, i)).toISOString().replace(".000", "");
        if (each.type === "apply") {
          const want = model.apply(`Apply ${each.manager}`, each.spec, each.force);
          const got = apply(live, each, now);
          if ("conflicts" in got) expect(got.conflicts).toEqual(want);
          else {
            expect(want).toEqual(new Map());
            live = got.object;
          }
        } else if (live !== undefined) {
          const changed = changedSpec(live.spec as Spec | undefined, each);
          model.update(`Update ${each.manager}`, changed);
          live = update(live, changed, each.manager, now);
        }
        if (live === undefined) continue;
        expect(new Map([...pathsOf(live.spec as Spec)].sort())).toEqual(new Map([...model.values].sort()));
        expect(ownersOf(live)).toEqual(new Map([...model.owners].map(([name, owned]) => [name, [...owned].sort()])));
      }
    }),
    runs(500),
  );
});

function read(value: object, managedFields: unknown): ApiObject {
  const { object } = decodeObject(schema, structuredClone(value));
  const metadata = { ...(object.metadata as object), uid: "u", ...(managedFields === undefined ? {} : { managedFields }) };
  return normalizeObject(schema, { ...object, ...APPLY, metadata } as unknown as ApiObject);
}

function apply(
  live: ApiObject | undefined,
  { manager, spec, force }: Step & { type: "apply" },
  now: string,
): { readonly object: ApiObject } | { readonly conflicts: Conflicts } {
  const config = { ...APPLY, metadata: { name: "a" }, ...(spec === undefined || Object.keys(spec).length === 0 ? {} : { spec }) };
  try {
    const applied = applyConfiguration({
      ...APPLY,
      schema,
      resetFields: [],
      live,
      config: structuredClone(config),
      manager,
      subresource: "",
      force,
      now,
      versions: () => undefined,
      convert: (value) => value,
    });
    const { managedFields: _, ...metadata } = (applied.object.metadata ?? {}) as Record<string, unknown>;
    return { object: read({ ...applied.object, metadata }, applied.managedFields) };
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 409) throw error;
    const conflicts = new Map<string, string[]>();
    for (const { message = "", field = "" } of error.status.details?.causes ?? []) {
      const [, name = "", using] = /^conflict with "(\w+)"( using .*)?/.exec(message) ?? [];
      const id = `${using === undefined ? "Apply" : "Update"} ${name}`;
      conflicts.set(id, [...(conflicts.get(id) ?? []), field].sort());
    }
    return { conflicts };
  }
}

/** Another text for one of the texts that are there. */
function changedSpec(before: Spec | undefined, { at, text }: Step & { type: "update" }): Spec | undefined {
  if (before === undefined) return undefined;
  const changed = structuredClone(before);
  const changes: (() => unknown)[] = [];
  if (changed.s !== undefined) changes.push(() => Object.assign(changed, { s: text }));
  if (changed.am !== undefined) changes.push(() => Object.assign(changed, { am: { z: text } }));
  if (changed.al !== undefined) changes.push(() => Object.assign(changed, { al: [text, text] }));
  const { m } = changed;
  if (m !== undefined)
    for (const key of ["a", "b", "z"]) changes.push(() => Object.assign(changed, { m: { ...m, [key]: text } }));
  for (const item of changed.list ?? []) {
    const { n } = item;
    if (n !== undefined) changes.push(() => Object.assign(item, { n: { ...n, z: text } }));
    if (item.v !== undefined) changes.push(() => Object.assign(item, { v: text === "x" ? 8 : 9 }));
  }
  if (changes.length > 0) changes[at % changes.length]?.();
  return changed;
}

function update(live: ApiObject, spec: Spec | undefined, manager: string, now: string): ApiObject {
  const { managedFields, ...metadata } = live.metadata;
  const object = read({ ...live, metadata, ...(spec === undefined ? {} : { spec }) }, managedFields);
  trackUpdate({ schema, old: live, object, manager, apiVersion: APPLY.apiVersion, subresource: "", now });
  return object;
}

function ownersOf(object: ApiObject): Map<string, string[]> {
  return new Map(
    (object.metadata.managedFields ?? []).map(({ operation, manager, fieldsV1 }) => [
      `${operation} ${manager}`,
      flat(fieldsV1 as object, "").sort(),
    ]),
  );
}

/** The members of a set in the form of `fieldsV1`. */
function flat(node: object, at: string): string[] {
  const steps = Object.entries(node as Record<string, object>);
  const isMember = steps.length === 0 || Object.hasOwn(node, ".");
  return [
    ...(isMember && at !== "" ? [at] : []),
    ...steps.flatMap(([step, below]) => (step === "." ? [] : flat(below, at + shown(step)))),
  ];
}

function shown(step: string): string {
  const rest = step.slice(2);
  if (step.startsWith("v:")) return `[=${rest}]`;
  return step.startsWith("k:") ? `[k=${JSON.stringify((JSON.parse(rest) as { k: string }).k)}]` : `.${rest}`;
}
