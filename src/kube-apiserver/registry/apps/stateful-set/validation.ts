import type { StatefulSet, StatefulSetSpec } from "#api/generated/apps/v1.ts";
import type { PersistentVolumeClaim, PodTemplateSpec, Volume } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { internalEqual } from "../../core/pod/internal-form.ts";
import { validateClaimSpec } from "../../core/pod/validation/claim-template.ts";
import { dnsLabelErrors, nonNegativeErrors } from "../../core/pod/validation/field-checks.ts";
import { type PodValidationOptions, TEMPLATE_OPTIONS } from "../../core/pod/validation/options.ts";
import { templateOptionsFor } from "../../core/pod/validation/options-for.ts";
import { validatePodTemplateSpec, validateTemplateMetadata } from "../../core/pod/validation/pod.ts";
import { printedSelector } from "../workload/printed-selector.ts";
import { collisionErrors, countErrors, limitErrors } from "../workload/status-validation.ts";
import { alwaysRunningErrors, mismatchErrors, parseSelector, selectorErrors } from "../workload/template-validation.ts";

const specPath = FieldPath.of("spec");
const POD_MANAGEMENT_POLICIES = ["OrderedReady", "Parallel"];
const RETENTION_POLICIES = ["Retain", "Delete"];

/** A new StatefulSet. */
export function validateStatefulSet(set: StatefulSet): FieldError[] {
  return specErrors(set.spec ?? { selector: {}, template: {} }, TEMPLATE_OPTIONS, undefined);
}

function specErrors(spec: StatefulSetSpec, options: PodValidationOptions, old: StatefulSetSpec | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const policy = spec.podManagementPolicy ?? "";
  const policyPath = specPath.child("podManagementPolicy");
  if (policy === "") errors.push(required(policyPath, ""));
  else if (!POD_MANAGEMENT_POLICIES.includes(policy)) {
    errors.push(invalid(policyPath, policy, "must be 'OrderedReady' or 'Parallel'"));
  }
  errors.push(...strategyErrors(spec), ...retentionErrors(spec));
  errors.push(
    ...nonNegativeErrors(spec.replicas, specPath.child("replicas")),
    ...nonNegativeErrors(spec.minReadySeconds, specPath.child("minReadySeconds")),
    ...nonNegativeErrors(spec.ordinals?.start, specPath.child("ordinals", "start")),
    ...selectorErrors(spec.selector, "statefulset", specPath.child("selector")),
  );
  const selector = parseSelector(spec.selector);
  const template = spec.template ?? {};
  const at = specPath.child("template");
  if (!selector) errors.push(invalid(specPath.child("selector"), printedSelector(spec.selector), ""));
  else {
    if (!selector.empty && !selector.matches(template.metadata?.labels ?? {})) errors.push(...mismatchErrors(template, at));
    // Upstream checks the template's metadata here and again with the whole template.
    errors.push(...validateTemplateMetadata(template, at, options));
  }
  errors.push(...alwaysRunningErrors(template, "StatefulSet", at));
  // Those of a stored set are not looked at again: they cannot change.
  if (!old) {
    (spec.volumeClaimTemplates ?? []).forEach((claim, i) => {
      errors.push(...validateClaimSpec(claim.spec ?? {}, specPath.child("volumeClaimTemplates").index(i).child("spec")));
    });
  }
  errors.push(...validatePodTemplateSpec(withClaims(template, spec), at, options));
  if (spec.serviceName && spec.serviceName !== old?.serviceName) {
    errors.push(...dnsLabelErrors(spec.serviceName, specPath.child("serviceName")));
  }
  return errors;
}

/** The claims of the set are volumes of its pods, in place of volumes of the same name. */
function withClaims(template: PodTemplateSpec, spec: StatefulSetSpec): PodTemplateSpec {
  const claims = new Set((spec.volumeClaimTemplates ?? []).map((claim) => claim.metadata?.name ?? ""));
  if (claims.size === 0 || !template.spec) return template;
  const own: readonly Volume[] = template.spec.volumes ?? [];
  const added = [...claims].map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  const kept = own.filter((volume) => !claims.has(volume.name ?? ""));
  return { ...template, spec: { ...template.spec, volumes: [...added, ...kept] } };
}

function strategyErrors(spec: StatefulSetSpec): FieldError[] {
  const path = specPath.child("updateStrategy");
  const type = spec.updateStrategy?.type ?? "";
  const rolling = spec.updateStrategy?.rollingUpdate;
  const internal = rolling ? { Partition: rolling.partition ?? 0, MaxUnavailable: rolling.maxUnavailable ?? null } : null;
  if (type === "") return [required(path, "")];
  if (type === "OnDelete") {
    if (!rolling) return [];
    return [invalid(path.child("rollingUpdate"), internal, "only allowed for updateStrategy 'RollingUpdate'")];
  }
  if (type !== "RollingUpdate") {
    return [invalid(path, { Type: type, RollingUpdate: internal }, "must be 'RollingUpdate' or 'OnDelete'")];
  }
  return nonNegativeErrors(rolling?.partition, path.child("rollingUpdate", "partition"));
}

function retentionErrors(spec: StatefulSetSpec): FieldError[] {
  const policy = spec.persistentVolumeClaimRetentionPolicy;
  if (!policy) return [];
  return (["whenDeleted", "whenScaled"] as const).flatMap((field) => {
    const value = policy[field] ?? "";
    if (RETENTION_POLICIES.includes(value)) return [];
    return [notSupported(specPath.child("persistentVolumeClaimRetentionPolicy", field), value, RETENTION_POLICIES)];
  });
}

/** What names and makes the pods and claims. All other fields may change. */
function isSameSet(spec: StatefulSetSpec, old: StatefulSetSpec): boolean {
  const claims = spec.volumeClaimTemplates ?? [];
  const oldClaims = old.volumeClaimTemplates ?? [];
  return (
    (spec.serviceName ?? "") === (old.serviceName ?? "") &&
    spec.podManagementPolicy === old.podManagementPolicy &&
    semanticEqual(printedSelector(spec.selector), printedSelector(old.selector)) &&
    claims.length === oldClaims.length &&
    claims.every((claim, i) => isSameClaim(claim, oldClaims[i]))
  );
}

function isSameClaim(claim: PersistentVolumeClaim, old: PersistentVolumeClaim | undefined): boolean {
  const type = (from: PersistentVolumeClaim | undefined): unknown => [from?.apiVersion, from?.kind, from?.status];
  return internalEqual("PersistentVolumeClaimTemplate", claim, old) && semanticEqual(type(claim), type(old));
}

/** Most of a StatefulSet is fixed: its pods and claims are named after it. */
export function validateStatefulSetUpdate(set: StatefulSet, old: StatefulSet): FieldError[] {
  const spec = set.spec ?? { selector: {}, template: {} };
  const oldSpec = old.spec ?? { selector: {}, template: {} };
  const errors = specErrors(spec, templateOptionsFor(oldSpec.template?.spec), oldSpec);
  if (!isSameSet(spec, oldSpec)) {
    const detail =
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    errors.push(forbidden(specPath, detail));
  }
  return errors;
}

/** Counts fit together. */
export function validateStatefulSetStatus(set: StatefulSet, old: StatefulSet): FieldError[] {
  const status = set.status ?? {};
  const counts = ["readyReplicas", "currentReplicas", "updatedReplicas"];
  return [
    ...countErrors(status, ["replicas", ...counts, "availableReplicas", "observedGeneration", "collisionCount"]),
    ...limitErrors(status, [...counts, "availableReplicas"], "replicas", "status.replicas"),
    ...limitErrors(status, ["availableReplicas"], "readyReplicas", "status.readyReplicas"),
    ...collisionErrors(set.status, old.status),
  ];
}
