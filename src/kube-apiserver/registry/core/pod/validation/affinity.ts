import type { Affinity, PodAffinity, PodAffinityTerm } from "#api/generated/core/v1.ts";
import type { LabelSelector } from "#api/generated/meta/v1.ts";
import { type FieldError, forbidden, invalid, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { nameIsDnsLabel } from "#apimachinery/validation/names.ts";
import { validateLabelSelector } from "#apimachinery/validation/object-meta.ts";
import { invalidEach, qualifiedNameErrors } from "./field-checks.ts";
import { validateNodeSelector, validatePreferredTerms, weightErrors } from "./node-selector.ts";
import type { PodValidationOptions } from "./options.ts";

const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";

/** Where a pod wants to be, relative to nodes and to other pods. */
export function validateAffinity(affinity: Affinity | undefined, options: PodValidationOptions, path: FieldPath): FieldError[] {
  if (!affinity) return [];
  const errors: FieldError[] = [];
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity;
  if (nodeAffinity) {
    const at = path.child("nodeAffinity");
    if (nodeAffinity[REQUIRED]) {
      const lenient = options.allowInvalidLabelValueInRequiredNodeAffinity;
      errors.push(...validateNodeSelector(nodeAffinity[REQUIRED], lenient, at.child(REQUIRED)));
    }
    errors.push(...validatePreferredTerms(nodeAffinity[PREFERRED] ?? [], at.child(PREFERRED)));
  }
  const lenient = options.allowInvalidLabelValueInSelector;
  if (podAffinity) errors.push(...podAffinityErrors(podAffinity, lenient, path.child("podAffinity")));
  if (podAntiAffinity) errors.push(...podAffinityErrors(podAntiAffinity, lenient, path.child("podAntiAffinity")));
  return errors;
}

function podAffinityErrors(affinity: PodAffinity, lenient: boolean, path: FieldPath): FieldError[] {
  return [
    ...(affinity[REQUIRED] ?? []).flatMap((term, i) => termErrors(term, lenient, path.child(REQUIRED).index(i))),
    ...(affinity[PREFERRED] ?? []).flatMap((weighted, i) => {
      const at = path.child(PREFERRED).index(i);
      return [
        ...weightErrors(weighted.weight, at),
        ...termErrors(weighted.podAffinityTerm ?? { topologyKey: "" }, lenient, at.child("podAffinityTerm")),
      ];
    }),
  ];
}

function termErrors(term: PodAffinityTerm, lenient: boolean, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const selectorOptions = { allowInvalidLabelValueInSelector: lenient };
  for (const field of ["labelSelector", "namespaceSelector"] as const) {
    const selector = term[field];
    if (selector) errors.push(...validateLabelSelector(selector, selectorOptions, path.child(field)));
  }
  for (const name of term.namespaces ?? []) {
    errors.push(...invalidEach(path.child("namespace"), name, nameIsDnsLabel(name, false)));
  }
  errors.push(...labelKeysErrors(term, path));
  const key = term.topologyKey ?? "";
  if (key === "") errors.push(required(path.child("topologyKey"), "can not be empty"));
  return [...errors, ...qualifiedNameErrors(key, path.child("topologyKey"))];
}

/**
 * Keys whose values come from the incoming pod (KEP-3633). They were merged into the selector before, so a key
 * that stands there twice was given in both places.
 */
function labelKeysErrors(term: PodAffinityTerm, path: FieldPath): FieldError[] {
  const match = term.matchLabelKeys ?? [];
  const mismatch = term.mismatchLabelKeys ?? [];
  const errors = [
    ...keyListErrors(match, term.labelSelector, path.child("matchLabelKeys")),
    ...keyListErrors(mismatch, term.labelSelector, path.child("mismatchLabelKeys")),
  ];
  if (term.labelSelector) {
    const seen = new Set(Object.keys(term.labelSelector.matchLabels ?? {}));
    for (const { key } of term.labelSelector.matchExpressions ?? []) {
      const index = match.lastIndexOf(key);
      if (index >= 0 && seen.has(key)) {
        errors.push(invalid(path.index(index), key, "exists in both matchLabelKeys and labelSelector"));
      }
      seen.add(key);
    }
  }
  match.forEach((key, i) => {
    if (mismatch.includes(key)) {
      errors.push(invalid(path.child("matchLabelKeys").index(i), key, "exists in both matchLabelKeys and mismatchLabelKeys"));
    }
  });
  return errors;
}

function keyListErrors(keys: readonly string[], selector: LabelSelector | undefined, path: FieldPath): FieldError[] {
  if (keys.length === 0) return [];
  if (!selector) return [forbidden(path, "must not be specified when labelSelector is not set")];
  return keys.flatMap((key, i) => qualifiedNameErrors(key, path.index(i)));
}
