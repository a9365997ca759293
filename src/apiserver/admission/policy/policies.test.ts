import { beforeAll, expect, test } from "vitest";
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "#api/generated/admissionregistration/v1.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { type KubernetesCel, loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import { ObjectView } from "../../registry/store/admission-forms.ts";
import type { RequestContext } from "../../request/request-info.ts";
import { resolveRequestInfo } from "../../request/resolve-request-info.ts";
import { AdmissionChain, type AdmissionPlugin } from "../admission.ts";
import { mutatingPolicies } from "./mutating-policies.ts";
import { compileMutatingPolicy } from "./mutating-policy.ts";
import type { PolicyModules } from "./policy-hits.ts";
import { validatingPolicies } from "./validating-policies.ts";
import { compileValidatingPolicy } from "./validating-policy.ts";

let cel: KubernetesCel;
beforeAll(async () => {
  cel = await loadKubernetesCel();
});

const RULES = [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }];
const KIND = { group: "", version: "v1", kind: "ConfigMap" };
const PARAMS: ApiObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "p" }, data: { most: "1" } };

/** Answers late, and only on what is called `allowed`. */
const authorizer = {
  authorize: async ({ name }: { readonly name: string }) => ({ decision: name === "allowed" ? "allow" : "deny", reason: "" }),
} as unknown as Authorizer;

const modules: PolicyModules = {
  authorizer,
  namespaceLabels: () => ({}),
  namespaceObject: (name) => ({ metadata: { name } }),
  params: ({ kind }) => {
    if (kind !== "ConfigMap") return undefined;
    return { namespaced: true, get: (_namespace, name) => (name === "p" ? PARAMS : undefined), list: () => [PARAMS] };
  },
};

interface Outcome {
  readonly data: unknown;
  readonly labels: unknown;
  readonly refused: string | undefined;
  readonly code: number | undefined;
  readonly warnings: readonly string[];
}

async function admit(plugin: AdmissionPlugin, data: object): Promise<Outcome> {
  const context: RequestContext = {
    user: { name: "u", uid: "", groups: [], extra: {} },
    info: resolveRequestInfo("POST", "/api/v1/namespaces/a/configmaps", undefined),
    userAgent: "",
    query: new URLSearchParams(),
    signal: new AbortController().signal,
    warnings: [],
  };
  const object: ApiObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m" }, data };
  const schema = schemaFor("", "v1", "ConfigMap");
  if (schema === undefined) throw new Error("ConfigMap has no schema");
  const attributes = {
    ...KIND,
    operation: "CREATE" as const,
    resource: "configmaps",
    subresource: "",
    namespace: "a",
    name: "m",
    object,
    oldObject: undefined,
    dryRun: false,
    context,
    forms: new ObjectView(KIND, schema, (given) => given),
  };
  const chain = new AdmissionChain([plugin]);
  let error: unknown;
  try {
    await chain.mutate(attributes);
    await chain.validate(attributes);
  } catch (thrown) {
    error = thrown;
  }
  if (error !== undefined && !(error instanceof StatusError)) throw error;
  return {
    data: object.data,
    labels: object.metadata.labels,
    refused: error?.message,
    code: error?.status.code,
    warnings: context.warnings,
  };
}

function validating(spec: object, binding: object = {}): AdmissionPlugin {
  const policy = { metadata: { name: "p" }, spec: { matchConstraints: { resourceRules: RULES }, ...spec } };
  const bound = { metadata: { name: "b" }, spec: { policyName: "p", validationActions: ["Deny"], ...binding } };
  const compiled = compileValidatingPolicy(
    policy as unknown as ValidatingAdmissionPolicy,
    [bound as unknown as ValidatingAdmissionPolicyBinding],
    cel,
  );
  return validatingPolicies({ ...modules, policies: async () => [compiled] });
}

const DENIED = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ";
const SMALL = { expression: "size(object.data) <= 1" };
const PARAM_KIND = { apiVersion: "v1", kind: "ConfigMap" };

test.each<[string, object, object, string | undefined]>([
  ["nothing wrong", { validations: [{ expression: "has(object.data)" }] }, {}, undefined],
  ["its expression", { validations: [SMALL] }, {}, "failed expression: size(object.data) <= 1"],
  ["a message", { validations: [{ ...SMALL, message: "too many" }] }, {}, "too many"],
  ["a message made", { validations: [{ ...SMALL, messageExpression: "string(size(object.data))" }] }, {}, "2"],
  ["a message that fails", { validations: [{ ...SMALL, message: "m", messageExpression: "string(1 / 0)" }] }, {}, "m"],
  [
    "variables",
    {
      variables: [{ name: "n", expression: "size(object.data)" }],
      validations: [{ expression: "variables.n < 2", message: "n" }],
    },
    {},
    "n",
  ],
  ["a condition that is not met", { matchConditions: [{ name: "c", expression: "false" }], validations: [SMALL] }, {}, undefined],
  [
    "the namespace",
    { validations: [{ expression: "namespaceObject.metadata.name == 'b'", message: "not here" }] },
    {},
    "not here",
  ],
  [
    "the authorizer",
    {
      validations: [
        { expression: "authorizer.group('').resource('pods').name('allowed').check('get').allowed()", message: "first" },
        { expression: "authorizer.group('').resource('pods').name('other').check('get').allowed()", message: "second" },
      ],
    },
    {},
    "second",
  ],
  [
    "parameters",
    { paramKind: PARAM_KIND, validations: [{ expression: "size(object.data) <= int(params.data.most)", message: "most" }] },
    { paramRef: { name: "p", parameterNotFoundAction: "Deny" } },
    "most",
  ],
  [
    "parameters that are not there",
    { paramKind: PARAM_KIND, validations: [SMALL] },
    { paramRef: { name: "q", parameterNotFoundAction: "Deny" } },
    "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
  ],
  [
    "an expression that fails",
    { validations: [{ expression: "object.spec.x == 1" }] },
    {},
    "expression 'object.spec.x == 1' resulted in error: no such key: spec",
  ],
  ["a failure that is ignored", { failurePolicy: "Ignore", validations: [{ expression: "object.spec.x == 1" }] }, {}, undefined],
])("a validating policy tells %s", async (_name, spec, binding, want) => {
  const { refused, code } = await admit(validating(spec, binding), { a: "1", b: "2" });
  expect(refused).toBe(want && `configmaps "m" is forbidden: ${DENIED}${want}`);
  expect(code).toBe(want && 422);
});

test("a binding may only warn", async () => {
  const plugin = validating({ validations: [{ expression: "false", message: "no" }] }, { validationActions: ["Warn"] });
  const { refused, warnings } = await admit(plugin, {});
  expect(refused).toBeUndefined();
  expect(warnings).toEqual(["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': no"]);
});

function mutating(expressions: readonly string[], more: object = {}): AdmissionPlugin {
  const mutations = expressions.map((expression) =>
    expression.startsWith("[")
      ? { patchType: "JSONPatch", jsonPatch: { expression } }
      : { patchType: "ApplyConfiguration", applyConfiguration: { expression } },
  );
  const policy = { metadata: { name: "p" }, spec: { matchConstraints: { resourceRules: RULES }, mutations, ...more } };
  const binding = { metadata: { name: "b" }, spec: { policyName: "p" } };
  const compiled = compileMutatingPolicy(
    policy as unknown as MutatingAdmissionPolicy,
    [binding as unknown as MutatingAdmissionPolicyBinding],
    cel,
  );
  return mutatingPolicies({ ...modules, policies: async () => [compiled] });
}

test.each<[string, readonly string[], object]>([
  ["adds", ["[JSONPatch{op: 'add', path: '/data/b', value: object.data.a + '!'}]"], { a: "1", b: "1!" }],
  ["merges", ["Object{data: {'b': '2'}}"], { a: "1", b: "2" }],
  [
    "goes on with what it made",
    ["Object{data: {'b': '2'}}", "[JSONPatch{op: 'move', from: '/data/b', path: '/data/c'}]"],
    { a: "1", c: "2" },
  ],
  [
    "leaves what fails a test",
    ["[JSONPatch{op: 'test', path: '/data/a', value: '2'}, JSONPatch{op: 'remove', path: '/data/a'}]"],
    { a: "1" },
  ],
  ["escapes keys", ["[JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('x~'), value: '1'}]"], { a: "1", "x~": "1" }],
])("a mutating policy %s", async (_name, expressions, want) => {
  const { data, refused } = await admit(mutating(expressions), { a: "1" });
  expect(refused).toBeUndefined();
  expect(data).toEqual(want);
});

test.each([
  [
    "Object{spec: Object.spec{a: 1}}",
    "error applying patch: failed to convert patch object to typed object: .spec: field not declared in schema",
  ],
  [
    "Object{metadata: Object.meta{labels: {'a': 'b'}}}",
    'type mismatch: unexpected type name "Object.meta", expected "Object.metadata", which matches field name path from root Object type',
  ],
  [
    "[JSONPatch{op: 'add', path: '/spec/x', value: 1}]",
    'JSON Patch: add operation does not apply: doc is missing path: "/spec/x": missing value',
  ],
])("a mutating policy refuses for %s", async (expression, want) => {
  const { refused, code } = await admit(mutating([expression]), {});
  expect(refused).toBe(`policy 'p' with binding 'b' denied request: ${want}`);
  expect(code).toBe(403);
  expect((await admit(mutating([expression], { failurePolicy: "Ignore" }), {})).refused).toBeUndefined();
});
