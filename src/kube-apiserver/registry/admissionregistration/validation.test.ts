import { beforeAll, expect, test } from "vitest";
import type {
  MutatingAdmissionPolicy,
  RuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhook,
  WebhookClientConfig,
} from "#api/generated/admissionregistration/v1.ts";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateValidatingBinding } from "./binding-validation.ts";
import { validateClientConfig } from "./client-config-validation.ts";
import { validateValidatingPolicyStatus } from "./policy-status-validation.ts";
import { setPolicyDefaults, validateMutatingPolicy, validateValidatingPolicy } from "./policy-validation.ts";
import { validateRule } from "./rule-validation.ts";
import { setWebhookDefaults, validateWebhooks } from "./webhook-validation.ts";

beforeAll(async () => void (await loadKubernetesCel()));

const fields = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, type }) => `${field} ${type.replace("FieldValue", "")}`);
const RULE = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] };
const rules: [string, object, string[]][] = [
  ["what it needs", {}, []],
  ["a wildcard among versions", { apiVersions: ["*", "v1"] }, ["r.apiVersions Invalid"]],
  ["an unknown operation", { operations: ["GET"] }, ["r.operations[0] NotSupported"]],
  ["everything and more", { resources: ["*/*", "pods"] }, ["r.resources Invalid"]],
  ["a subresource that is covered", { resources: ["pods/*", "pods/log"] }, ["r.resources[1] Invalid"]],
  ["an unknown scope", { scope: "x" }, ["r.scope NotSupported"]],
];
test.each(rules)("rule with %s", (_name, change, want) => {
  expect(fields(validateRule({ ...RULE, ...change } as RuleWithOperations, FieldPath.of("r")))).toEqual(want);
});

const configs: [string, WebhookClientConfig, string[]][] = [
  ["a URL", { url: "https://a.example.com/x" }, []],
  ["neither", {}, ["c Required"]],
  ["plain HTTP", { url: "http://a" }, ["c.url Invalid"]],
  ["a query and a user", { url: "https://u@a/?b=c" }, ["c.url Invalid", "c.url Invalid"]],
  ["no URL", { url: "::" }, ["c.url Required"]],
  ["a service", { service: { name: "a", namespace: "b", port: 443, path: "/x/y" } }, []],
  ["an empty segment", { service: { name: "a", namespace: "b", port: 443, path: "/x//y" } }, ["c.service.path Invalid"]],
];
test.each(configs)("client configuration with %s", (_name, config, want) => {
  expect(fields(validateClientConfig(config, FieldPath.of("c")))).toEqual(want);
});

const webhook = (change: object): ValidatingWebhook => {
  const object = {
    name: "a.b.c",
    clientConfig: { url: "https://a" },
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    rules: [RULE],
    ...change,
  };
  setWebhookDefaults([object], false);
  return object;
};
test("webhooks are named apart, and what was bad before may stay", () => {
  expect(validateWebhooks([webhook({})])).toEqual([]);
  expect(fields(validateWebhooks([webhook({}), webhook({})]))).toEqual(["webhooks[1].name Duplicate"]);
  const old = [webhook({ sideEffects: "Some" })];
  expect(fields(validateWebhooks(old))).toEqual(["webhooks[0].sideEffects NotSupported"]);
  expect(validateWebhooks(old, old)).toEqual([]);
});

const validating = (change: object): ValidatingAdmissionPolicy => {
  const spec = { matchConstraints: { resourceRules: [RULE] }, validations: [{ expression: "true" }], ...change };
  setPolicyDefaults(spec);
  return { metadata: { name: "p" }, spec } as ValidatingAdmissionPolicy;
};
const policies: [string, ValidatingAdmissionPolicy, string[]][] = [
  ["what it needs", validating({}), []],
  ["nothing to check", validating({ validations: [] }), ["spec.validations Required", "spec.auditAnnotations Required"]],
  ["a kind without a version", validating({ paramKind: { kind: "A" } }), ["spec.paramKind.apiVersion Required"]],
  [
    "a message of two lines",
    validating({ validations: [{ expression: "true", message: "a\nb" }] }),
    ["spec.validations[0].message Invalid"],
  ],
  [
    "a variable that is no name",
    validating({ variables: [{ name: "1a", expression: "1" }] }),
    ["spec.variables[0].name Invalid"],
  ],
  [
    "a variable with the name of a word of the language",
    validating({ variables: [{ name: "namespace", expression: "1" }] }),
    ["spec.variables[0].name Invalid"],
  ],
  [
    "expressions that are none",
    validating({
      matchConditions: [{ name: "m", expression: "variables.a" }],
      variables: [{ name: "a", expression: "1 +" }],
      validations: [{ expression: "object", messageExpression: "1" }],
      auditAnnotations: [{ key: "k", valueExpression: "true" }],
    }),
    [
      "spec.matchConditions[0].expression Invalid",
      "spec.variables[0].expression Invalid",
      "spec.validations[0].expression Invalid",
      "spec.validations[0].messageExpression Invalid",
      "spec.auditAnnotations[0].valueExpression Invalid",
    ],
  ],
];
test.each(policies)("policy with %s", (_name, policy, want) => {
  expect(fields(validateValidatingPolicy(policy))).toEqual(want);
});

test("an annotation is shown as it was written, and needs the name of its policy", () => {
  const policy = validating({ auditAnnotations: [{ key: "k", valueExpression: " 1 " }] });
  const [wrong] = validateValidatingPolicy(policy);
  expect(wrong?.message).toMatch(/^Invalid value: " 1 ": /);
  const [unnamed] = validateValidatingPolicy({ ...policy, metadata: {} });
  expect(unnamed?.message).toBe('Invalid value: "k": requires metadata.name be non-empty');
});

test("a policy's status says where it warns of what", () => {
  const status = {
    typeChecking: { expressionWarnings: [{ fieldRef: " ", warning: "" }] },
    conditions: [{ type: "A", status: "True", reason: "" }],
  };
  const policy = { ...validating({}), status } as unknown as ValidatingAdmissionPolicy;
  expect(fields(validateValidatingPolicyStatus(policy))).toEqual([
    "status.typeChecking.expressionWarnings[0].warning Required",
    "status.typeChecking.expressionWarnings[0].fieldRef Required",
    "status.conditions[0].lastTransitionTime Required",
    "status.conditions[0].reason Required",
  ]);
});

test("nothing can be changed in what is deleted", () => {
  const { spec } = validating({ matchConstraints: { resourceRules: [{ ...RULE, operations: ["DELETE"] }] } });
  const mutations = [{ patchType: "JSONPatch", jsonPatch: { expression: "[JSONPatch{op: 'remove', path: '/a'}]" } }];
  const policy = { metadata: {}, spec: { ...spec, mutations, reinvocationPolicy: "Never" } } as MutatingAdmissionPolicy;
  expect(fields(validateMutatingPolicy(policy))).toEqual(["spec.matchConstraints.resourceRules.operations NotSupported"]);
});

test("a binding denies or warns", () => {
  const binding = (change: object): ValidatingAdmissionPolicyBinding =>
    ({ metadata: {}, spec: { policyName: "p", validationActions: ["Deny"], ...change } }) as ValidatingAdmissionPolicyBinding;
  expect(validateValidatingBinding(binding({}))).toEqual([]);
  expect(fields(validateValidatingBinding(binding({ validationActions: ["Deny", "Warn"] })))).toEqual([
    "spec.validationActions Invalid",
  ]);
  expect(fields(validateValidatingBinding(binding({ validationActions: ["X", "X"] })))).toEqual([
    "spec.validationActions[0] NotSupported",
    "spec.validationActions[1] NotSupported",
    "spec.validationActions[1] Duplicate",
  ]);
  expect(fields(validateValidatingBinding(binding({ paramRef: { name: "a" } })))).toEqual([
    "spec.paramRef.parameterNotFoundAction Required",
  ]);
});
