import type { CustomResourceDefinition } from "#api/generated/apiextensions/v1.ts";
import { compileRuleEvaluator } from "#apiextensions-apiserver/cel/evaluate-rules.ts";
import { validateDefinition } from "#apiextensions-apiserver/definition/validation/definition.ts";
import { readCustom } from "#apiextensions-apiserver/schema/custom-type.ts";
import { compileStructural } from "#apiextensions-apiserver/schema/structural.ts";
import { loadedPatterns, loadPatterns } from "#apiextensions-apiserver/validation/patterns.ts";
import { validateAgainstSchema } from "#apiextensions-apiserver/validation/schema-validator.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { loadedKubernetesCel, loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { decodeBody } from "#apimachinery/schema/decode-body.ts";
import { DecodeError } from "#apimachinery/schema/exact-decode.ts";
import { check, type FuzzTarget, refusing } from "../target.ts";

const kind = { group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition" };

function definition(schema: object, version: object = {}): string {
  const versions = [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version }];
  const names = { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" };
  return JSON.stringify({
    metadata: { name: "widgets.a.b" },
    spec: { group: "a.b", scope: "Cluster", names, versions },
    status: { storedVersions: ["v1"] },
  });
}

const VALUES: readonly object[] = [
  {
    apiVersion: "a.b/v1",
    kind: "Widget",
    metadata: { name: "a" },
    spec: { a: 1, b: "x", c: [{ k: "a", v: 1 }, { k: "a" }], d: { e: null } },
    x: "y",
  },
  JSON.parse('{"__proto__":{"a":1},"constructor":{"prototype":{}},"spec":{"__proto__":[1],"a":1e300}}') as object,
];

/** Definitions as JSON: judged, and where they are good their schemas are used. */
export const target: FuzzTarget = {
  maxMs: 3000,
  prepare: async () => {
    await Promise.all([loadKubernetesCel(), loadPatterns()]);
  },
  seeds: [
    definition(
      {
        type: "object",
        properties: {
          spec: {
            type: "object",
            required: ["a"],
            properties: {
              a: { type: "integer", minimum: 1, maximum: 5, multipleOf: 2, default: 2 },
              b: { type: "string", pattern: "^(x|y)*$", format: "uuid", maxLength: 5, enum: ["x"] },
              c: {
                type: "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["k"],
                maxItems: 3,
                items: {
                  type: "object",
                  required: ["k"],
                  properties: { k: { type: "string" }, v: { "x-kubernetes-int-or-string": true } },
                },
              },
              d: {
                type: "object",
                additionalProperties: { type: "string", nullable: true },
                "x-kubernetes-validations": [{ rule: "self.size() < 3", messageExpression: "'m'" }],
              },
            },
            "x-kubernetes-validations": [
              { rule: "self.a > oldSelf.a", optionalOldSelf: false, fieldPath: ".a", reason: "FieldValueInvalid" },
            ],
          },
        },
      },
      {
        additionalPrinterColumns: [{ name: "a", type: "string", jsonPath: ".spec.c[?(@.k=='a')].v" }],
        selectableFields: [{ jsonPath: ".spec.b" }],
        subresources: {
          status: {},
          scale: { specReplicasPath: ".spec.a", statusReplicasPath: ".status.a", labelSelectorPath: ".status.s" },
        },
      },
    ),
    definition({
      type: "object",
      "x-kubernetes-preserve-unknown-fields": true,
      properties: {
        spec: { type: "object", "x-kubernetes-embedded-resource": true, properties: { metadata: { type: "object" } } },
      },
    }),
    definition({
      type: "object",
      properties: {
        spec: {
          type: "object",
          allOf: [{ required: ["a"] }],
          oneOf: [{ properties: { a: { minimum: 2 } } }, { not: { required: ["b"] } }],
        },
      },
    }),
    definition({
      type: "object",
      properties: { __proto__: { type: "string" }, constructor: { type: "object", default: { a: 1 } } },
    }),
  ],
  run: (bytes) => {
    const body = refusing([StatusError], () => decodeBody({ bytes, format: "json", kind, fieldValidation: "Ignore" }));
    if (body === undefined) return;
    const given = body.object as unknown as CustomResourceDefinition;
    const errors = validateDefinition(given, loadedPatterns());
    if (errors.length > 0) return;
    for (const { schema } of given.spec.versions) use(schema?.openAPIV3Schema);
  },
};

function use(props: Parameters<typeof compileStructural>[0] | undefined): void {
  if (props === undefined) return;
  const structural = compileStructural(props);
  const evaluate = compileRuleEvaluator(props, loadedKubernetesCel());
  for (const value of VALUES) {
    const object = structuredClone(value) as Record<string, unknown>;
    refusing([DecodeError], () => readCustom(object, structural, { dropInvalid: false }));
    const once = JSON.stringify(object);
    refusing([DecodeError], () => readCustom(object, structural, { dropInvalid: false }));
    check(JSON.stringify(object) === once, "is read otherwise the second time");
    validateAgainstSchema(props, object, "", loadedPatterns(), { value });
    evaluate?.(object, value);
  }
}
