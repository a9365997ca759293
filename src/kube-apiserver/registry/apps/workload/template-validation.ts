import type { PodTemplateSpec } from "#api/generated/core/v1.ts";
import type { LabelSelector } from "#api/generated/meta/v1.ts";
import { labelSelectorFromObject, type LabelSelector as ParsedSelector } from "#apimachinery/labels/selector.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isPercent } from "#apimachinery/validation/names.ts";
import { validateImmutableField, validateLabelSelector } from "#apimachinery/validation/object-meta.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { invalidEach, nonNegativeErrors } from "../../core/pod/validation/field-checks.ts";
import type { PodValidationOptions } from "../../core/pod/validation/options.ts";
import { validatePodTemplateSpec } from "../../core/pod/validation/pod.ts";
import { printedSelector } from "./printed-selector.ts";

const SELECTOR_OPTIONS = { allowInvalidLabelValueInSelector: false };
const SELECTS_NOTHING = { empty: false, matches: () => false };

/** The selector of a workload; `what` names it in the complaint about an empty one. */
export function selectorErrors(selector: LabelSelector | undefined, what: string, path: FieldPath): FieldError[] {
  if (!selector) return [required(path, "")];
  const errors = validateLabelSelector(selector, SELECTOR_OPTIONS, path);
  if (isEmptySelector(selector)) errors.push(invalid(path, printedSelector(selector), `empty selector is invalid for ${what}`));
  return errors;
}

/** Versions in which a workload's selector may be changed, by kind: they are older than that rule. */
const CHANGEABLE: Readonly<Record<string, readonly string[]>> = {
  deployments: ["extensions/v1beta1", "apps/v1beta1"],
  daemonsets: ["extensions/v1beta1"],
  replicasets: ["extensions/v1beta1"],
};

/** Which pods are a workload's own is said once. */
export function selectorUnchangedErrors(
  selector: LabelSelector | undefined,
  old: LabelSelector | undefined,
  path: FieldPath,
  { info }: RequestContext,
): FieldError[] {
  if (CHANGEABLE[info.resource]?.includes(`${info.apiGroup}/${info.apiVersion}`)) return [];
  return validateImmutableField(printedSelector(selector), printedSelector(old), path);
}

/** True for a selector without any requirement. */
export function isEmptySelector(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0;
}

/** A selector as upstream's `LabelSelectorAsSelector`: absent selects nothing; undefined when it does not parse. */
export function parseSelector(selector: LabelSelector | undefined): Pick<ParsedSelector, "empty" | "matches"> | undefined {
  if (!selector) return SELECTS_NOTHING;
  try {
    return labelSelectorFromObject(selector);
  } catch {
    return undefined;
  }
}

/** A workload must select the pods that it makes. */
export function mismatchErrors(template: PodTemplateSpec | undefined, path: FieldPath): FieldError[] {
  const labels = template?.metadata?.labels;
  const sorted = labels ? Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))) : null;
  return [invalid(path.child("metadata", "labels"), sorted, "`selector` does not match template `labels`")];
}

/** Selector and template of the workloads whose pods always run. `kind` stands in messages. */
export function selectedTemplateErrors(
  spec: { readonly selector?: LabelSelector; readonly template?: PodTemplateSpec },
  path: FieldPath,
  options: PodValidationOptions,
): FieldError[] {
  const selector = parseSelector(spec.selector);
  if (!selector) return [invalid(path.child("selector"), printedSelector(spec.selector), "invalid label selector")];
  const template = spec.template ?? {};
  const at = path.child("template");
  const errors = selector.empty || selector.matches(template.metadata?.labels ?? {}) ? [] : mismatchErrors(template, at);
  return [...errors, ...validatePodTemplateSpec(template, at, options), ...alwaysRunningErrors(template, "ReplicaSet", at)];
}

/** Pods of these workloads are replaced, so they may neither end nor have a deadline. */
export function alwaysRunningErrors(template: PodTemplateSpec, kind: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const policy = template.spec?.restartPolicy ?? "";
  if (policy !== "Always") errors.push(notSupported(path.child("spec", "restartPolicy"), policy, ["Always"]));
  const deadline = template.spec?.activeDeadlineSeconds;
  if (deadline !== undefined && deadline !== null) {
    const detail = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(forbidden(path.child("spec", "activeDeadlineSeconds"), detail));
  }
  return errors;
}

/** A number of pods, or a percentage of them. */
export function intOrPercentErrors(value: number | string | undefined, path: FieldPath): FieldError[] {
  if (typeof value === "string") return invalidEach(path, value, isPercent(value));
  return nonNegativeErrors(value, path);
}

/** At most all pods. */
export function notMoreThanAllErrors(value: number | string | undefined, path: FieldPath): FieldError[] {
  if (typeof value !== "string" || isPercent(value).length > 0) return [];
  return Number.parseInt(value, 10) > 100 ? [invalid(path, value, "must not be greater than 100%")] : [];
}

/** The number, or the number before the percent sign; 0 for what cannot be read. */
export function plainValue(value: number | string | undefined): number {
  if (typeof value !== "string") return value ?? 0;
  return isPercent(value).length > 0 ? 0 : Number.parseInt(value, 10);
}
