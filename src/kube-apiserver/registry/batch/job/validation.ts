import type { Job, JobSpec } from "#api/generated/batch/v1.ts";
import type { PodTemplateSpec } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, invalid, notSupported, required, tooLong } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, httpPathFormat, isDns1123Label, isDns1123Subdomain } from "#apimachinery/validation/names.ts";
import { validateLabelSelector } from "#apimachinery/validation/object-meta.ts";
import { printedSelector } from "../../apps/workload/printed-selector.ts";
import { mismatchErrors, parseSelector } from "../../apps/workload/template-validation.ts";
import { internalEqual, toInternal } from "../../core/pod/internal-form.ts";
import { nonNegativeErrors } from "../../core/pod/validation/field-checks.ts";
import { type PodValidationOptions, TEMPLATE_OPTIONS } from "../../core/pod/validation/options.ts";
import { templateOptionsFor } from "../../core/pod/validation/options-for.ts";
import { validatePodTemplateSpec } from "../../core/pod/validation/pod.ts";
import { generatedSelectorErrors } from "./generated-selector.ts";
import { podFailurePolicyErrors } from "./pod-failure-policy.ts";
import { successPolicyErrors } from "./success-policy.ts";

const specPath = FieldPath.of("spec");
const MANAGED_BY_BYTES_MAX = 63;
const INDEXED_PARALLELISM_MAX = 100_000;
const FAILED_INDEXES_MAX = 100_000;
/** Above this, per-index backoff needs tighter limits. */
const MANY_COMPLETIONS = 100_000;
const FEW_INDEXES_MAX = 10_000;
const IMMUTABLE = "field is immutable";

/** A new Job. */
export function validateJob(job: Job, options: PodValidationOptions = TEMPLATE_OPTIONS): FieldError[] {
  const spec = job.spec ?? { template: {} };
  const errors = [...generatedSelectorErrors(job), ...jobSpecErrors(spec, options)];
  const completions = spec.completions ?? 0;
  const name = job.metadata?.name ?? "";
  if (spec.completionMode === "Indexed" && completions > 0) {
    const messages = isDns1123Label(`${name}-${completions - 1}`);
    if (messages.length > 0) {
      const detail = `will not able to create pod with invalid DNS label: ${name}-${completions - 1}`;
      errors.push(invalid(FieldPath.of("metadata", "name"), name, detail));
    }
  }
  return errors;
}

function jobSpecErrors(spec: JobSpec, options: PodValidationOptions): FieldError[] {
  const errors = commonJobSpecErrors(spec, specPath, options);
  const at = specPath.child("selector");
  if (!spec.selector) errors.push(required(at, ""));
  else errors.push(...validateLabelSelector(spec.selector, { allowInvalidLabelValueInSelector: false }, at));
  if (parseSelector(spec.selector)?.matches(spec.template?.metadata?.labels ?? {}) === false) {
    errors.push(...mismatchErrors(spec.template, specPath.child("template")));
  }
  return errors;
}

const COUNTS = [
  "parallelism",
  "completions",
  "activeDeadlineSeconds",
  "backoffLimit",
  "ttlSecondsAfterFinished",
  "backoffLimitPerIndex",
  "maxFailedIndexes",
] as const;

/** Rules for Jobs and for the templates of CronJobs. */
export function commonJobSpecErrors(spec: JobSpec, path: FieldPath, options: PodValidationOptions): FieldError[] {
  const errors: FieldError[] = COUNTS.flatMap((field) => nonNegativeErrors(spec[field], path.child(field)));
  if (isSet(spec.maxFailedIndexes) && !isSet(spec.backoffLimitPerIndex)) {
    errors.push(required(path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified"));
  }
  if (isSet(spec.managedBy)) errors.push(...managedByErrors(spec.managedBy, path.child("managedBy")));
  errors.push(...completionModeErrors(spec, path));
  if (spec.podFailurePolicy) errors.push(...podFailurePolicyErrors(spec, path.child("podFailurePolicy")));
  if (spec.successPolicy) {
    const at = path.child("successPolicy");
    if (spec.completionMode === "Indexed") errors.push(...successPolicyErrors(spec, at));
    else errors.push(invalid(at, internalSuccessPolicy(spec), "requires indexed completion mode"));
  }
  const replacement = spec.podReplacementPolicy;
  if (isSet(replacement)) {
    const supported = spec.podFailurePolicy ? ["Failed"] : ["Failed", "TerminatingOrFailed"];
    if (!supported.includes(replacement)) {
      errors.push(notSupported(path.child("podReplacementPolicy"), replacement, supported));
    }
  }
  errors.push(...validatePodTemplateSpec(spec.template ?? {}, path.child("template"), options));
  const policy = spec.template?.spec?.restartPolicy ?? "";
  const policyPath = path.child("template", "spec", "restartPolicy");
  if (policy === "" || policy === "Always") errors.push(required(policyPath, 'valid values: "OnFailure", "Never"'));
  else if (policy !== "OnFailure" && policy !== "Never") errors.push(notSupported(policyPath, policy, ["OnFailure", "Never"]));
  else if (spec.podFailurePolicy && policy !== "Never") {
    errors.push(invalid(policyPath, policy, 'only "Never" is supported when podFailurePolicy is specified'));
  }
  return errors;
}

function isSet<T>(value: T | undefined | null): value is T {
  return value !== undefined && value !== null;
}

/** A controller elsewhere: a domain and a path. */
function managedByErrors(name: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const slash = name.indexOf("/");
  const domain = name.slice(0, Math.max(slash, 0));
  const rest = name.slice(slash + 1);
  if (name === "") errors.push(required(path, ""));
  else if (slash <= 0 || rest === "") {
    errors.push(invalid(path, name, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  } else {
    errors.push(...isDns1123Subdomain(domain).map((message) => invalid(path, domain, message)));
    if (!new RegExp(`^${httpPathFormat.source}$`).test(rest)) {
      errors.push(invalid(path, rest, `Invalid path (regex used for validation is '${httpPathFormat.source}')`));
    }
  }
  if (byteLength(name) > MANAGED_BY_BYTES_MAX) errors.push(tooLong(path, MANAGED_BY_BYTES_MAX));
  return errors;
}

function completionModeErrors(spec: JobSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const mode = spec.completionMode;
  if (isSet(mode) && mode !== "NonIndexed" && mode !== "Indexed") {
    errors.push(notSupported(path.child("completionMode"), mode, ["NonIndexed", "Indexed"]));
  }
  if (mode === "Indexed") return [...errors, ...indexedErrors(spec, path)];
  if (isSet(mode) && mode !== "NonIndexed") return errors;
  for (const field of ["backoffLimitPerIndex", "maxFailedIndexes"] as const) {
    if (isSet(spec[field])) errors.push(invalid(path.child(field), spec[field], "requires indexed completion mode"));
  }
  return errors;
}

function indexedErrors(spec: JobSpec, path: FieldPath): FieldError[] {
  const { completions, parallelism, maxFailedIndexes } = spec;
  const errors: FieldError[] = [];
  if (!isSet(completions)) errors.push(required(path.child("completions"), "when completion mode is Indexed"));
  if (isSet(parallelism) && parallelism > INDEXED_PARALLELISM_MAX) {
    const detail = `must be less than or equal to ${INDEXED_PARALLELISM_MAX} when completion mode is Indexed`;
    errors.push(invalid(path.child("parallelism"), parallelism, detail));
  }
  const failedPath = path.child("maxFailedIndexes");
  if (isSet(completions) && isSet(maxFailedIndexes) && maxFailedIndexes > completions) {
    errors.push(invalid(failedPath, maxFailedIndexes, "must be less than or equal to completions"));
  }
  if (isSet(maxFailedIndexes) && maxFailedIndexes > FAILED_INDEXES_MAX) {
    errors.push(invalid(failedPath, maxFailedIndexes, `must be less than or equal to ${FAILED_INDEXES_MAX}`));
  }
  if (!isSet(completions) || completions <= MANY_COMPLETIONS || !isSet(spec.backoffLimitPerIndex)) return errors;
  const limit = `when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`;
  if (!isSet(maxFailedIndexes))
    errors.push(required(failedPath, `must be specified when completions is above ${MANY_COMPLETIONS}`));
  if (isSet(parallelism) && parallelism > FEW_INDEXES_MAX) {
    errors.push(invalid(path.child("parallelism"), parallelism, `must be less than or equal to ${FEW_INDEXES_MAX} ${limit}`));
  }
  if (isSet(maxFailedIndexes) && maxFailedIndexes > FEW_INDEXES_MAX) {
    errors.push(invalid(failedPath, maxFailedIndexes, `must be less than or equal to ${FEW_INDEXES_MAX} ${limit}`));
  }
  return errors;
}

function internalSuccessPolicy(spec: JobSpec): object | null {
  if (!spec.successPolicy) return null;
  const rules = spec.successPolicy.rules;
  if (!rules) return { Rules: null };
  return {
    Rules: rules.map((rule) => ({
      SucceededIndexes: rule.succeededIndexes ?? null,
      SucceededCount: rule.succeededCount ?? null,
    })),
  };
}

function internalFailurePolicy(spec: JobSpec): object | null {
  if (!spec.podFailurePolicy) return null;
  const rules = spec.podFailurePolicy.rules;
  if (!rules) return { Rules: null };
  return {
    Rules: rules.map((rule) => ({
      Action: rule.action ?? "",
      OnExitCodes: rule.onExitCodes
        ? {
            ContainerName: rule.onExitCodes.containerName ?? null,
            Operator: rule.onExitCodes.operator ?? "",
            Values: rule.onExitCodes.values ?? null,
          }
        : null,
      OnPodConditions: rule.onPodConditions
        ? rule.onPodConditions.map((pattern) => ({ Type: pattern.type ?? "", Status: pattern.status ?? "" }))
        : null,
    })),
  };
}

/** Upstream's `ValidateJob` and `ValidateJobUpdate`, which both look at the whole spec. */
export function validateJobUpdate(job: Job, old: Job): FieldError[] {
  const spec = job.spec ?? { template: {} };
  const oldSpec = old.spec ?? { template: {} };
  const unchanged = (field: string, now: unknown, before: unknown, shown: unknown): FieldError[] =>
    semanticEqual(now, before) ? [] : [invalid(specPath.child(field), shown ?? null, IMMUTABLE)];
  const options = templateOptionsFor(oldSpec.template?.spec);
  return [
    ...validateJob(job, options),
    ...jobSpecErrors(spec, options),
    ...completionsErrors(spec, oldSpec),
    ...unchanged("selector", printedSelector(spec.selector), printedSelector(oldSpec.selector), printedSelector(spec.selector)),
    ...templateErrors(job, old),
    ...unchanged("completionMode", spec.completionMode, oldSpec.completionMode, spec.completionMode),
    ...unchanged("podFailurePolicy", spec.podFailurePolicy, oldSpec.podFailurePolicy, internalFailurePolicy(spec)),
    ...unchanged("backoffLimitPerIndex", spec.backoffLimitPerIndex, oldSpec.backoffLimitPerIndex, spec.backoffLimitPerIndex),
    ...unchanged("managedBy", spec.managedBy, oldSpec.managedBy, spec.managedBy),
    ...unchanged("successPolicy", spec.successPolicy, oldSpec.successPolicy, internalSuccessPolicy(spec)),
  ];
}

/** Indexed Jobs may grow and shrink with their parallelism (KEP-3715). */
function completionsErrors(spec: JobSpec, old: JobSpec): FieldError[] {
  if (semanticEqual(spec.completions, old.completions)) return [];
  const at = specPath.child("completions");
  if (spec.completionMode !== "Indexed") return [invalid(at, spec.completions ?? null, IMMUTABLE)];
  if (!isSet(spec.completions) || spec.completions === spec.parallelism) return [];
  return [invalid(at, spec.completions, "can only be modified in tandem with spec.parallelism")];
}

/** While a Job is suspended, what only tells where its pods run may change (KEP-2926). */
function templateErrors(job: Job, old: Job): FieldError[] {
  const template = job.spec?.template ?? {};
  const before = old.spec?.template ?? {};
  const at = specPath.child("template");
  const isSuspended = old.spec?.suspend === true && isUnstarted(old);
  if (!isSuspended) {
    if (internalEqual("PodTemplateSpec", template, before)) return [];
    return [invalid(at, toInternal("PodTemplateSpec", template), IMMUTABLE)];
  }
  const allowed: Draft<PodTemplateSpec> = deepCopy(before);
  const copy: Draft<PodTemplateSpec> = deepCopy(template);
  if (allowed.spec && copy.spec) {
    for (const field of ["nodeSelector", "tolerations", "schedulingGates"] as const) {
      const value = copy.spec[field];
      if (value === undefined) delete allowed.spec[field];
      else Object.assign(allowed.spec, { [field]: value });
    }
    allowNodeAffinity(allowed.spec, copy.spec);
    allowResources(allowed.spec, copy.spec);
  }
  if (internalEqual("PodSpec", copy.spec, allowed.spec)) return [];
  return [invalid(at.child("spec"), toInternal("PodSpec", template.spec ?? {}), IMMUTABLE)];
}

function isUnstarted(job: Job): boolean {
  return !job.status?.startTime || (job.status.conditions ?? []).some((c) => c.type === "Suspended" && c.status === "True");
}

type PodSpecDraft = NonNullable<Draft<PodTemplateSpec>["spec"]>;

function allowNodeAffinity(allowed: PodSpecDraft, now: PodSpecDraft): void {
  if (!now.affinity) {
    // All of the old affinity was about nodes: it may be taken away.
    if (allowed.affinity && !allowed.affinity.podAffinity && !allowed.affinity.podAntiAffinity) delete allowed.affinity;
    return;
  }
  const wanted = now.affinity.nodeAffinity;
  if (!allowed.affinity) {
    if (wanted) allowed.affinity = { nodeAffinity: wanted };
    return;
  }
  if (wanted) allowed.affinity.nodeAffinity = wanted;
  else delete allowed.affinity.nodeAffinity;
}

function allowResources(allowed: PodSpecDraft, now: PodSpecDraft): void {
  for (const field of ["containers", "initContainers"] as const) {
    const containers = now[field] ?? [];
    if (containers.length !== (allowed[field] ?? []).length) continue;
    (allowed[field] ?? []).forEach((container, i) => {
      const resources = containers[i]?.resources;
      if (resources) container.resources = resources;
    });
  }
}
