import type { MutatingWebhook, ValidatingWebhook } from "#api/generated/admissionregistration/v1.ts";
import { loadedKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { duplicate, type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1035Label, isDns1123Subdomain } from "#apimachinery/validation/names.ts";
import { validateLabelSelector } from "#apimachinery/validation/object-meta.ts";
import { compileMatchExpression } from "#apiserver/admission/cel/match-expression.ts";
import { invalidEach } from "../core/pod/validation/field-checks.ts";
import { validateClientConfig } from "./client-config-validation.ts";
import { FAILURE_POLICIES, MATCH_POLICIES, validateMatchConditions } from "./match-validation.ts";
import { validateRule } from "./rule-validation.ts";

/** A webhook of either kind. */
type Webhook = ValidatingWebhook & Pick<MutatingWebhook, "reinvocationPolicy">;

const SIDE_EFFECTS = ["None", "NoneOnDryRun"];
const LEGACY_SIDE_EFFECTS = ["None", "NoneOnDryRun", "Some", "Unknown"];
const REINVOCATION_POLICIES = ["IfNeeded", "Never"];
const REVIEW_VERSIONS = ["v1", "v1beta1"];
const TIMEOUT_SECONDS_MAX = 30;
const DEFAULT_TIMEOUT_SECONDS = 10;
const HTTPS_PORT = 443;

/** Upstream's defaults of webhooks in v1. */
export function setWebhookDefaults(webhooks: readonly Draft<Webhook>[] | undefined, mutating: boolean): void {
  for (const webhook of webhooks ?? []) {
    webhook.failurePolicy ??= "Fail";
    webhook.matchPolicy ??= "Equivalent";
    webhook.namespaceSelector ??= {};
    webhook.objectSelector ??= {};
    webhook.timeoutSeconds ??= DEFAULT_TIMEOUT_SECONDS;
    if (mutating) webhook.reinvocationPolicy ??= "Never";
    for (const rule of webhook.rules ?? []) rule.scope ??= "*";
    if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= HTTPS_PORT;
  }
}

/** Upstream's checks of both webhook configurations. What `old` already had wrong may stay. */
export function validateWebhooks(webhooks: readonly Webhook[] | undefined, old?: readonly Webhook[]): FieldError[] {
  const path = FieldPath.of("webhooks");
  const list = webhooks ?? [];
  const sideEffects = (old ?? []).every(hasNoSideEffects) ? SIDE_EFFECTS : LEGACY_SIDE_EFFECTS;
  const knownVersion = (old ?? []).every(({ admissionReviewVersions: versions }) => versions?.some(isReviewVersion));
  const uniqueNames = new Set(old?.map(({ name }) => name)).size === (old?.length ?? 0);
  return list.flatMap((webhook, i) => {
    const at = path.index(i);
    const repeated = webhook.name && list.findIndex(({ name }) => name === webhook.name) < i && uniqueNames;
    return [
      ...validateWebhook(webhook, sideEffects, at),
      ...reviewVersionErrors(webhook.admissionReviewVersions ?? [], knownVersion, at.child("admissionReviewVersions")),
      ...(repeated ? [duplicate(at.child("name"), webhook.name)] : []),
    ];
  });
}

function hasNoSideEffects({ sideEffects }: Webhook): boolean {
  return sideEffects !== undefined && SIDE_EFFECTS.includes(sideEffects);
}

function isReviewVersion(version: string): boolean {
  return REVIEW_VERSIONS.includes(version);
}

function validateWebhook(webhook: Webhook, allowedSideEffects: readonly string[], path: FieldPath): FieldError[] {
  const { sideEffects, timeoutSeconds: timeout } = webhook;
  const supported = (field: "failurePolicy" | "matchPolicy" | "reinvocationPolicy", values: readonly string[]): FieldError[] => {
    const value = webhook[field];
    return value === undefined || values.includes(value) ? [] : [notSupported(path.child(field), value, values)];
  };
  const errors = nameErrors(webhook.name ?? "", path.child("name"));
  errors.push(...(webhook.rules ?? []).flatMap((rule, i) => validateRule(rule, path.child("rules").index(i))));
  errors.push(...supported("failurePolicy", FAILURE_POLICIES), ...supported("matchPolicy", MATCH_POLICIES));
  const effects = path.child("sideEffects");
  if (sideEffects === undefined) errors.push(required(effects, `must specify one of ${allowedSideEffects.join(", ")}`));
  else if (!allowedSideEffects.includes(sideEffects)) errors.push(notSupported(effects, sideEffects, allowedSideEffects));
  if (timeout !== undefined && (timeout < 1 || timeout > TIMEOUT_SECONDS_MAX)) {
    const detail = `the timeout value must be between 1 and ${TIMEOUT_SECONDS_MAX} seconds`;
    errors.push(invalid(path.child("timeoutSeconds"), timeout, detail));
  }
  for (const field of ["namespaceSelector", "objectSelector"] as const) {
    errors.push(...validateLabelSelector(webhook[field], { allowInvalidLabelValueInSelector: false }, path.child(field)));
  }
  errors.push(...supported("reinvocationPolicy", REINVOCATION_POLICIES));
  errors.push(...validateClientConfig(webhook.clientConfig, path.child("clientConfig")));
  return [...errors, ...validateMatchConditions(webhook.matchConditions, path.child("matchConditions"), expressionErrors)];
}

/** The environment of expressions is loaded ahead of every write of the kind. */
function expressionErrors(expression: string, path: FieldPath): FieldError[] {
  const compiled = compileMatchExpression(loadedKubernetesCel(), expression);
  return "error" in compiled ? [invalid(path, expression, compiled.error)] : [];
}

/** Upstream's `IsFullyQualifiedName`. */
function nameErrors(name: string, path: FieldPath): FieldError[] {
  if (name === "") return [required(path, "")];
  const messages = isDns1123Subdomain(name);
  if (messages.length > 0) return [invalid(path, name, messages.join(","))];
  if (name.split(".").length >= 3) return [];
  return [invalid(path, name, "should be a domain with at least three segments separated by dots")];
}

function reviewVersionErrors(versions: readonly string[], knownVersion: boolean, path: FieldPath): FieldError[] {
  if (versions.length === 0) return [required(path, `must specify one of ${REVIEW_VERSIONS.join(", ")}`)];
  const errors = versions.flatMap((version, i) =>
    versions.indexOf(version) < i
      ? [invalid(path.index(i), version, "duplicate version")]
      : invalidEach(path.index(i), version, isDns1035Label(version)),
  );
  if (knownVersion && !versions.some(isReviewVersion)) {
    errors.push(invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(", ")}`));
  }
  return errors;
}
