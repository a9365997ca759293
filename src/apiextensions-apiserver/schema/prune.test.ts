import { expect, test } from "vitest";
import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { pruneResource } from "./prune.ts";
import { compileStructural } from "./structural.ts";

interface Case {
  readonly name: string;
  readonly spec: JSONSchemaProps;
  readonly value: unknown;
  readonly want: unknown;
  readonly unknown?: readonly string[];
}

const text: JSONSchemaProps = { type: "string" };
const open = { "x-kubernetes-preserve-unknown-fields": true };

const cases: readonly Case[] = [
  { name: "known fields stay", spec: { type: "object", properties: { a: text } }, value: { a: "x" }, want: { a: "x" } },
  {
    name: "unknown fields go, also in lists",
    spec: { type: "array", items: { type: "object", properties: { a: text } } },
    value: [{ a: "x", b: 1 }, { c: {} }],
    want: [{ a: "x" }, {}],
    unknown: ["spec[0].b", "spec[1].c"],
  },
  {
    name: "values of maps are pruned",
    spec: { type: "object", additionalProperties: { type: "object", properties: { a: text } } },
    value: { any: { a: "x", b: 1 } },
    want: { any: { a: "x" } },
    unknown: ["spec.any.b"],
  },
  {
    name: "what is open keeps unknown fields and prunes known ones",
    spec: { type: "object", ...open, properties: { a: { type: "object", properties: { b: text } } } },
    value: { any: { x: 1 }, a: { b: "x", c: 1 } },
    want: { any: { x: 1 }, a: { b: "x" } },
    unknown: ["spec.a.c"],
  },
  {
    name: "a resource within keeps its metadata",
    spec: { type: "object", "x-kubernetes-embedded-resource": true, properties: { spec: { type: "object" } } },
    value: { apiVersion: "v1", kind: "Pod", metadata: { odd: 1 }, spec: { a: 1 }, status: {} },
    want: { apiVersion: "v1", kind: "Pod", metadata: { odd: 1 }, spec: {} },
    unknown: ["spec.spec.a", "spec.status"],
  },
  { name: "values of another type than the schema's are left to validation", spec: text, value: 3, want: 3 },
];

test.each(cases)("$name", ({ spec, value, want, unknown = [] }) => {
  const object = { apiVersion: "g/v1", kind: "K", metadata: { name: "x" }, spec: structuredClone(value) };
  const found: string[] = [];
  pruneResource(object, compileStructural({ type: "object", properties: { spec } }), found);
  expect(object).toEqual({ apiVersion: "g/v1", kind: "K", metadata: { name: "x" }, spec: want });
  expect(found).toEqual(unknown);
});
