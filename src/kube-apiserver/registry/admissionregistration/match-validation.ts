import type { MatchCondition, MatchResources } from "#api/generated/admissionregistration/v1.ts";
import { duplicate, type FieldError, notSupported, required, tooMany } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateLabelSelector } from "#apimachinery/validation/object-meta.ts";
import { qualifiedNameErrors } from "../core/pod/validation/field-checks.ts";
import { validateNamedRule } from "./rule-validation.ts";

/** Upstream's limit of match conditions for one webhook or policy. */
const CONDITIONS_MAX = 64;
/** How rules are read of requests that come by another version. */
export const MATCH_POLICIES: readonly string[] = ["Equivalent", "Exact"];
/** What becomes of a request that a webhook or policy fails to judge. */
export const FAILURE_POLICIES: readonly string[] = ["Fail", "Ignore"];
const SELECTOR_OPTIONS = { allowInvalidLabelValueInSelector: false };

/** Upstream's `validateMatchResources`. Defaults have filled in what is required. */
export function validateMatchResources(match: MatchResources | undefined, path: FieldPath): FieldError[] {
  if (!match) return [];
  const { matchPolicy, resourceRules, excludeResourceRules } = match;
  const errors: FieldError[] = [];
  if (matchPolicy === undefined) errors.push(required(path.child("matchPolicy"), ""));
  else if (!MATCH_POLICIES.includes(matchPolicy)) {
    errors.push(notSupported(path.child("matchPolicy"), matchPolicy, MATCH_POLICIES));
  }
  for (const field of ["namespaceSelector", "objectSelector"] as const) {
    if (match[field] === undefined) errors.push(required(path.child(field), ""));
    else errors.push(...validateLabelSelector(match[field], SELECTOR_OPTIONS, path.child(field)));
  }
  const rules = (list: typeof resourceRules, field: string): FieldError[] =>
    (list ?? []).flatMap((rule, i) => validateNamedRule(rule, path.child(field).index(i)));
  return [...errors, ...rules(resourceRules, "resourceRules"), ...rules(excludeResourceRules, "excludeResourceRules")];
}

/** What is wrong with an expression's own language. */
export type ExpressionErrors = (expression: string, path: FieldPath) => FieldError[];

/** Upstream's `validateMatchConditions`. */
export function validateMatchConditions(
  conditions: readonly MatchCondition[] | undefined,
  path: FieldPath,
  expressionErrors: ExpressionErrors = () => [],
): FieldError[] {
  const list = conditions ?? [];
  const errors = list.length > CONDITIONS_MAX ? [tooMany(path, list.length, CONDITIONS_MAX)] : [];
  for (const [i, { name, expression }] of list.entries()) {
    const at = path.index(i);
    const trimmed = expression?.trim() ?? "";
    if (trimmed === "") errors.push(required(at.child("expression"), ""));
    else errors.push(...expressionErrors(trimmed, at.child("expression")));
    if (!name) errors.push(required(at.child("name"), ""));
    else {
      errors.push(...qualifiedNameErrors(name, at.child("name")));
      if (list.findIndex((other) => other.name === name) < i) errors.push(duplicate(at.child("name"), name));
    }
  }
  return errors;
}
