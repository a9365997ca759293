import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PreferredSchedulingTerm } from "#api/generated/core/v1.ts";
import { type FieldError, forbidden, invalid, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidLabelValue, nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import { invalidEach, qualifiedNameErrors } from "./field-checks.ts";

/** Which nodes will do; also used by persistent volumes. */
export function validateNodeSelector(selector: NodeSelector, allowInvalidValues: boolean, path: FieldPath): FieldError[] {
  const at = path.child("nodeSelectorTerms");
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) return [required(at, "must have at least one node selector term")];
  return terms.flatMap((term, i) => validateNodeSelectorTerm(term, allowInvalidValues, at.index(i)));
}

/** What an object that was stored with such a value may keep (upstream's `HasInvalidLabelValueInNodeSelectorTerms`). */
export function hasInvalidLabelValue(terms: readonly NodeSelectorTerm[]): boolean {
  const values = terms.flatMap((term) => (term.matchExpressions ?? []).flatMap((expression) => expression.values ?? []));
  return values.some((value) => isValidLabelValue(value).length > 0);
}

/** One alternative of a node selector. */
export function validateNodeSelectorTerm(term: NodeSelectorTerm, allowInvalidValues: boolean, path: FieldPath): FieldError[] {
  return [
    ...(term.matchExpressions ?? []).flatMap((requirement, i) =>
      expressionErrors(requirement, allowInvalidValues, path.child("matchExpressions").index(i)),
    ),
    ...(term.matchFields ?? []).flatMap((requirement, i) => fieldErrors(requirement, path.child("matchFields").index(i))),
  ];
}

function expressionErrors(requirement: NodeSelectorRequirement, allowInvalidValues: boolean, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const values = requirement.values ?? [];
  const operator = requirement.operator ?? "";
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) errors.push(required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) {
      errors.push(forbidden(path.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else if (operator === "Gt" || operator === "Lt") {
    if (values.length !== 1) {
      errors.push(required(path.child("values"), "must be specified single value when `operator` is 'Lt' or 'Gt'"));
    }
  } else errors.push(invalid(path.child("operator"), operator, "not a valid selector operator"));
  errors.push(...qualifiedNameErrors(requirement.key ?? "", path.child("key")));
  if (!allowInvalidValues) {
    values.forEach((value, i) => {
      errors.push(...invalidEach(path.child("values").index(i), value, isValidLabelValue(value)));
    });
  }
  return errors;
}

function fieldErrors(requirement: NodeSelectorRequirement, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const values = requirement.values ?? [];
  const operator = requirement.operator ?? "";
  if (operator === "In" || operator === "NotIn") {
    if (values.length !== 1) {
      const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
      errors.push(required(path.child("values"), detail));
    }
  } else errors.push(invalid(path.child("operator"), operator, "not a valid selector operator"));
  if (requirement.key !== "metadata.name") {
    errors.push(invalid(path.child("key"), requirement.key ?? "", "not a valid field selector key"));
  } else {
    values.forEach((value, i) => {
      errors.push(...invalidEach(path.child("values").index(i), value, nameIsDnsSubdomain(value, false)));
    });
  }
  return errors;
}

/** Preferences may hold invalid label values: a cluster of one node schedules them all the same. */
export function validatePreferredTerms(terms: readonly PreferredSchedulingTerm[], path: FieldPath): FieldError[] {
  return terms.flatMap((term, i) => [
    ...weightErrors(term.weight, path.index(i)),
    ...validateNodeSelectorTerm(term.preference ?? {}, true, path.index(i).child("preference")),
  ]);
}

/** Weights of preferences. */
export function weightErrors(weight: number | undefined, path: FieldPath): FieldError[] {
  const value = weight ?? 0;
  return value <= 0 || value > 100 ? [invalid(path.child("weight"), value, "must be in the range 1-100")] : [];
}
