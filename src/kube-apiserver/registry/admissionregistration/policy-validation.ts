import type {
  MutatingAdmissionPolicy,
  ParamKind,
  ValidatingAdmissionPolicy,
  Validation,
  Variable,
} from "#api/generated/admissionregistration/v1.ts";
import { isCelIdentifier } from "#apimachinery/cel/schema/escape.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { duplicate, type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, isDns1035Label, isDns1123Subdomain } from "#apimachinery/validation/names.ts";
import { qualifiedNameErrors } from "../core/pod/validation/field-checks.ts";
import { FAILURE_POLICIES, validateMatchConditions, validateMatchResources } from "./match-validation.ts";
import { mutatedOperationErrors } from "./mutated-operations.ts";
import { PolicyExpressions } from "./policy-expressions.ts";

type ValidatingSpec = NonNullable<ValidatingAdmissionPolicy["spec"]>;
type MutatingSpec = NonNullable<MutatingAdmissionPolicy["spec"]>;
type CommonSpec = Pick<ValidatingSpec, "paramKind" | "matchConstraints" | "matchConditions" | "variables" | "failurePolicy">;

const REASONS = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];
const REASONS_SHOWN = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
const PATCH_TYPES = ["ApplyConfiguration", "JSONPatch"];
const REINVOCATION_POLICIES = ["IfNeeded", "Never"];
const AUDIT_ANNOTATIONS_MAX = 20;
const VALUE_EXPRESSION_BYTES_MAX: number = 5 * 1024;
const spec = FieldPath.of("spec");

/** Upstream's defaults of what a policy or binding matches. */
export function setMatchDefaults(match: Draft<ValidatingSpec>["matchConstraints"]): void {
  if (!match) return;
  match.matchPolicy ??= "Equivalent";
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= "*";
}

/** Upstream's defaults of both kinds of policy. */
export function setPolicyDefaults(policy: Draft<CommonSpec> | undefined): void {
  if (!policy) return;
  policy.failurePolicy ??= "Fail";
  setMatchDefaults(policy.matchConstraints);
}

/** Upstream's `validateValidatingAdmissionPolicy`, but for the metadata. Asserts that CEL is loaded. */
export function validateValidatingPolicy(policy: ValidatingAdmissionPolicy): FieldError[] {
  const { validations = [], auditAnnotations = [], paramKind } = policy.spec ?? {};
  const expressions = new PolicyExpressions({ params: paramKind !== undefined, patches: false });
  const errors = validateCommon(policy.spec, expressions);
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const detail = "validations or auditAnnotations must contain at least one item";
    return [...errors, required(spec.child("validations"), detail), required(spec.child("auditAnnotations"), detail)];
  }
  errors.push(
    ...validations.flatMap((validation, i) => validateValidation(validation, expressions, spec.child("validations").index(i))),
  );
  const path = spec.child("auditAnnotations");
  if (auditAnnotations.length > AUDIT_ANNOTATIONS_MAX) {
    errors.push(invalid(path, auditAnnotations, `must not have more than ${AUDIT_ANNOTATIONS_MAX} auditAnnotations`));
  }
  for (const [i, { key = "", valueExpression = "" }] of auditAnnotations.entries()) {
    const at = path.index(i);
    const { name } = policy.metadata;
    if (name) errors.push(...qualifiedNameErrors(`${name}/${key}`, at.child("key")));
    else errors.push(invalid(at.child("key"), key, "requires metadata.name be non-empty"));
    const value = valueExpression.trim();
    if (value === "") errors.push(required(at.child("valueExpression"), "valueExpression is not specified"));
    else if (byteLength(value) > VALUE_EXPRESSION_BYTES_MAX) {
      const detail = `must not exceed ${VALUE_EXPRESSION_BYTES_MAX} bytes in length`;
      errors.push(required(at.child("valueExpression"), detail));
    } else errors.push(...expressions.annotation(value, at.child("valueExpression"), valueExpression));
    if (auditAnnotations.findIndex((other) => other.key === key) < i) errors.push(duplicate(at.child("key"), key));
  }
  return errors;
}

/** Upstream's `validateMutatingAdmissionPolicy`, but for the metadata. Asserts that CEL is loaded. */
export function validateMutatingPolicy({ spec: given }: MutatingAdmissionPolicy): FieldError[] {
  const { mutations = [], reinvocationPolicy } = given ?? {};
  const expressions = new PolicyExpressions({ params: given?.paramKind !== undefined, patches: true });
  const errors = validateCommon(given, expressions, true);
  const path = spec.child("mutations");
  if (mutations.length === 0) errors.push(required(path, "mutations must contain at least one item"));
  errors.push(...mutations.flatMap((mutation, i) => validateMutation(mutation, expressions, path.index(i))));
  const at = spec.child("reinvocationPolicy");
  if (!reinvocationPolicy) errors.push(required(at, ""));
  else if (!REINVOCATION_POLICIES.includes(reinvocationPolicy)) {
    errors.push(notSupported(at, reinvocationPolicy, REINVOCATION_POLICIES));
  }
  return errors;
}

function validateCommon(policy: CommonSpec | undefined, expressions: PolicyExpressions, mutating = false): FieldError[] {
  const { failurePolicy, paramKind, matchConstraints, matchConditions, variables = [] } = policy ?? {};
  const errors: FieldError[] = [];
  const failure = spec.child("failurePolicy");
  if (failurePolicy === undefined) errors.push(required(failure, ""));
  else if (!FAILURE_POLICIES.includes(failurePolicy)) errors.push(notSupported(failure, failurePolicy, FAILURE_POLICIES));
  if (paramKind) errors.push(...validateParamKind(paramKind, spec.child("paramKind")));
  const match = spec.child("matchConstraints");
  if (!matchConstraints) errors.push(required(match, ""));
  else {
    errors.push(...validateMatchResources(matchConstraints, match));
    if (!matchConstraints.resourceRules?.length) errors.push(required(match.child("resourceRules"), ""));
    if (mutating) errors.push(...mutatedOperationErrors(matchConstraints, match));
  }
  const condition = (source: string, path: FieldPath): FieldError[] => expressions.condition(source, path);
  errors.push(...validateMatchConditions(matchConditions, spec.child("matchConditions"), condition));
  errors.push(...variables.flatMap((variable, i) => validateVariable(variable, expressions, spec.child("variables").index(i))));
  return errors;
}

function validateParamKind({ apiVersion = "", kind = "" }: ParamKind, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const at = path.child("apiVersion");
  const parts = apiVersion.split("/");
  const [group, version] = parts.length > 1 ? [parts[0] ?? "", parts[1] ?? ""] : ["", apiVersion];
  if (apiVersion === "") errors.push(required(at, ""));
  else if (parts.length > 2) errors.push(invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else {
    const ofGroup = group === "" ? [] : isDns1123Subdomain(group);
    if (ofGroup.length > 0) errors.push(invalid(at, group, ofGroup.join(",")));
    const ofVersion = isDns1035Label(version);
    if (version === "") errors.push(invalid(at, apiVersion, "version must be specified"));
    else if (ofVersion.length > 0) errors.push(invalid(at, version, ofVersion.join(",")));
  }
  const ofKind = isDns1035Label(kind.toLowerCase());
  if (kind === "") errors.push(required(path.child("kind"), ""));
  else if (ofKind.length > 0) {
    const detail = `may have mixed case, but should otherwise match: ${ofKind.join(",")}`;
    errors.push(invalid(path.child("kind"), kind, detail));
  }
  return errors;
}

function validateVariable(
  { name = "", expression = "" }: Variable,
  expressions: PolicyExpressions,
  path: FieldPath,
): FieldError[] {
  expressions.declareVariables();
  const errors: FieldError[] = [];
  if (name.trim() === "") errors.push(required(path.child("name"), "name is not specified"));
  else if (!isCelIdentifier(name)) errors.push(invalid(path.child("name"), name, "must be a valid CEL identifier"));
  if (expression.trim() === "") errors.push(required(path.child("expression"), "expression is not specified"));
  else errors.push(...expressions.variable(name, expression, path.child("expression")));
  return errors;
}

function validateValidation(validation: Validation, expressions: PolicyExpressions, path: FieldPath): FieldError[] {
  const { expression = "", message = "", messageExpression = "", reason } = validation;
  const errors: FieldError[] = [];
  if (expression.trim() === "") errors.push(required(path.child("expression"), "expression is not specified"));
  else errors.push(...expressions.validation(expression, path.child("expression")));
  if (messageExpression !== "") {
    const at = path.child("messageExpression");
    if (messageExpression.trim() === "") errors.push(invalid(at, messageExpression, "must be non-empty if specified"));
    else errors.push(...expressions.message(messageExpression, at));
  }
  const at = path.child("message");
  if (message !== "" && message.trim() === "") errors.push(invalid(at, message, "must be non-empty if specified"));
  else if (/[\r\n]/.test(message.trim())) errors.push(invalid(at, message, "must not contain line breaks"));
  if (reason !== undefined && !REASONS.includes(reason)) {
    errors.push(notSupported(path.child("reason"), reason, REASONS_SHOWN));
  }
  return errors;
}

function validateMutation(
  mutation: NonNullable<MutatingSpec["mutations"]>[number],
  expressions: PolicyExpressions,
  path: FieldPath,
): FieldError[] {
  const { patchType = "", applyConfiguration, jsonPatch } = mutation;
  const typePath = path.child("patchType");
  if (patchType === "") return [required(typePath, "")];
  if (!PATCH_TYPES.includes(patchType)) return [notSupported(typePath, patchType, PATCH_TYPES)];
  const isApply = patchType === "ApplyConfiguration";
  const [own, other] = isApply ? [applyConfiguration, jsonPatch] : [jsonPatch, applyConfiguration];
  const [ownField, otherField] = isApply ? ["applyConfiguration", "jsonPatch"] : ["jsonPatch", "applyConfiguration"];
  const errors: FieldError[] = [];
  const at = path.child(ownField);
  if (!own) errors.push(required(at, `must be specified when patchType is ${patchType}`));
  else {
    const expression = own.expression ?? "";
    if (expression.trim() === "") errors.push(required(at.child("expression"), ""));
    else if (isApply) errors.push(...expressions.configuration(expression.trim(), at.child("expression")));
    else errors.push(...expressions.jsonPatch(expression.trim(), at.child("expression")));
  }
  if (other)
    errors.push(invalid(path.child(otherField), `{${otherField}}`, `must not be specified when patchType is ${patchType}`));
  return errors;
}
