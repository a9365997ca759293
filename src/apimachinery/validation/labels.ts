import { type FieldError, forbidden, invalid, required } from "./field-error.ts";
import type { FieldPath } from "./field-path.ts";
import { isQualifiedName, isValidLabelValue } from "./names.ts";

/** `metav1.LabelSelector` as it is validated. */
export interface LabelSelectorFields {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelSelectorRequirementFields[];
}

/** `metav1.LabelSelectorRequirement` as it is validated. */
export interface LabelSelectorRequirementFields {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** Upstream's LabelSelectorValidationOptions. */
export interface LabelSelectorOptions {
  readonly allowInvalidLabelValueInSelector?: boolean;
  /** For access reviews, which read what they do not know as no restriction. */
  readonly allowUnknownOperatorInRequirement?: boolean;
}

/** Keys and values of labels; both complaints name the map, not the key. */
export function validateLabels(labels: Readonly<Record<string, string>> | undefined, path: FieldPath): FieldError[] {
  if (labels === undefined || labels === null) return [];
  const errors: FieldError[] = [];
  for (const key of Object.keys(labels).sort()) {
    errors.push(...validateLabelName(key, path));
    const value = labels[key] ?? "";
    for (const message of isValidLabelValue(value)) errors.push(invalid(path, value, message));
  }
  return errors;
}

/** A label key. */
export function validateLabelName(name: string, path: FieldPath): FieldError[] {
  return isQualifiedName(name).map((message) => invalid(path, name, message));
}

/** A label selector; absent is good. */
export function validateLabelSelector(
  selector: LabelSelectorFields | undefined,
  options: LabelSelectorOptions,
  path: FieldPath,
): FieldError[] {
  if (selector === undefined || selector === null) return [];
  const errors = validateLabels(selector.matchLabels, path.child("matchLabels"));
  selector.matchExpressions?.forEach((requirement, i) => {
    errors.push(...validateLabelSelectorRequirement(requirement, options, path.child("matchExpressions").index(i)));
  });
  return errors;
}

/** One expression of a label selector. */
export function validateLabelSelectorRequirement(
  requirement: LabelSelectorRequirementFields,
  options: LabelSelectorOptions,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const values = requirement.values ?? [];
  const operator = requirement.operator ?? "";
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) errors.push(required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) {
      errors.push(forbidden(path.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else if (options.allowUnknownOperatorInRequirement !== true) {
    errors.push(invalid(path.child("operator"), operator, "not a valid selector operator"));
  }
  errors.push(...validateLabelName(requirement.key ?? "", path.child("key")));
  if (options.allowInvalidLabelValueInSelector !== true) {
    values.forEach((value, i) => {
      for (const message of isValidLabelValue(value)) errors.push(invalid(path.child("values").index(i), value, message));
    });
  }
  return errors;
}
