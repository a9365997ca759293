import type { JobSpec, SuccessPolicyRule } from "#api/generated/batch/v1.ts";
import { type FieldError, invalid, required, tooLong, tooMany } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength } from "#apimachinery/validation/names.ts";
import { nonNegativeErrors } from "../../core/pod/validation/field-checks.ts";
import { countIndexes } from "./index-intervals.ts";

const RULES_MAX = 20;
const INDEXES_BYTES_MAX = 64 * 1024;

/** When an indexed Job has succeeded early (KEP-3998). Completions that were not given count as none; upstream crashes. */
export function successPolicyErrors(spec: JobSpec, path: FieldPath): FieldError[] {
  const rules = spec.successPolicy?.rules ?? [];
  const at = path.child("rules");
  const errors: FieldError[] = [];
  if (rules.length === 0) errors.push(required(at, "at least one rules must be specified when the successPolicy is specified"));
  if (rules.length > RULES_MAX) errors.push(tooMany(at, rules.length, RULES_MAX));
  rules.forEach((rule, i) => {
    errors.push(...ruleErrors(rule, spec.completions ?? 0, at.index(i)));
  });
  return errors;
}

function ruleErrors(rule: SuccessPolicyRule, completions: number, path: FieldPath): FieldError[] {
  const { succeededIndexes: indexes, succeededCount: count } = rule;
  const hasIndexes = indexes !== undefined && indexes !== null;
  const hasCount = count !== undefined && count !== null;
  const errors: FieldError[] = [];
  if (!hasIndexes && !hasCount) {
    errors.push(required(path, "at least one of succeededCount or succeededIndexes must be specified"));
  }
  let total = 0;
  if (hasIndexes) {
    const at = path.child("succeededIndexes");
    if (byteLength(indexes) > INDEXES_BYTES_MAX) errors.push(tooLong(at, INDEXES_BYTES_MAX));
    const counted = countIndexes(indexes, completions);
    if (typeof counted === "string") errors.push(invalid(at, indexes, `error parsing succeededIndexes: ${counted}`));
    else total = counted;
  }
  if (hasCount) {
    const at = path.child("succeededCount");
    errors.push(...nonNegativeErrors(count, at));
    if (count > completions) {
      errors.push(invalid(at, count, `must be less than or equal to ${completions} (the number of specified completions)`));
    }
    if (hasIndexes && count > total) {
      const detail = `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`;
      errors.push(invalid(at, count, detail));
    }
  }
  return errors;
}
