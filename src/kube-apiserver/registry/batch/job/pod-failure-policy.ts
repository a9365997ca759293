import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
} from "#api/generated/batch/v1.ts";
import { duplicate, type FieldError, invalid, notSupported, required, tooMany } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { qualifiedNameErrors } from "../../core/pod/validation/field-checks.ts";

const RULES_MAX = 20;
const EXIT_CODES_MAX = 255;
const PATTERNS_MAX = 20;
const ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS = ["In", "NotIn"];
const STATUSES = ["False", "True", "Unknown"];

/** A list as Go's `%q` prints it. */
function goList(values: readonly string[]): string {
  return `[${values.map((value) => `"${value}"`).join(" ")}]`;
}

/** `Invalid` without the value. */
function invalidWithoutValue(path: FieldPath, detail: string): FieldError {
  return { type: "FieldValueInvalid", field: `${path}`, message: `Invalid value: ${detail}` };
}

/** What failed pods mean for the Job (KEP-3329). */
export function podFailurePolicyErrors(spec: JobSpec, path: FieldPath): FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? [];
  const at = path.child("rules");
  const errors: FieldError[] = [];
  if (rules.length > RULES_MAX) errors.push(tooMany(at, rules.length, RULES_MAX));
  const pod = spec.template?.spec;
  const names = new Set([...(pod?.containers ?? []), ...(pod?.initContainers ?? [])].map((container) => container.name));
  rules.forEach((rule, i) => {
    errors.push(...ruleErrors(rule, spec, names, at.index(i)));
  });
  return errors;
}

function ruleErrors(rule: PodFailurePolicyRule, spec: JobSpec, names: ReadonlySet<string>, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const action = rule.action ?? "";
  const at = path.child("action");
  if (action === "") errors.push(required(at, `valid values: ${goList(ACTIONS)}`));
  else if (action === "FailIndex") {
    if (spec.backoffLimitPerIndex === undefined) errors.push(invalid(at, action, "requires the backoffLimitPerIndex to be set"));
  } else if (!ACTIONS.includes(action)) errors.push(notSupported(at, action, ACTIONS));
  const conditions = rule.onPodConditions ?? [];
  if (rule.onExitCodes) errors.push(...exitCodeErrors(rule.onExitCodes, names, path.child("onExitCodes")));
  if (conditions.length > 0) errors.push(...conditionErrors(conditions, path.child("onPodConditions")));
  if (rule.onExitCodes && conditions.length > 0) {
    errors.push(invalidWithoutValue(path, "specifying both OnExitCodes and OnPodConditions is not supported"));
  }
  if (!rule.onExitCodes && conditions.length === 0) {
    errors.push(invalidWithoutValue(path, "specifying one of OnExitCodes and OnPodConditions is required"));
  }
  return errors;
}

function exitCodeErrors(
  requirement: PodFailurePolicyOnExitCodesRequirement,
  names: ReadonlySet<string>,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const operator = requirement.operator ?? "";
  const container = requirement.containerName;
  const values = requirement.values ?? [];
  if (operator === "") errors.push(required(path.child("operator"), `valid values: ${goList(OPERATORS)}`));
  else if (!OPERATORS.includes(operator)) errors.push(notSupported(path.child("operator"), operator, OPERATORS));
  if (container !== undefined && container !== null && !names.has(container)) {
    const detail = "must be one of the container or initContainer names in the pod template";
    errors.push(invalid(path.child("containerName"), container, detail));
  }
  const at = path.child("values");
  if (values.length === 0) {
    errors.push(invalid(at, requirement.values ?? null, "at least one value is required"));
  } else if (values.length > EXIT_CODES_MAX) errors.push(tooMany(at, values.length, EXIT_CODES_MAX));
  const seen = new Set<number>();
  values.forEach((value, i) => {
    if (operator === "In" && value === 0) errors.push(invalid(at.index(i), value, "must not be 0 for the In operator"));
    if (seen.has(value)) errors.push(duplicate(at.index(i), value));
    seen.add(value);
  });
  if (values.some((value, i) => (values[i - 1] ?? value) > value)) errors.push(invalid(at, values, "must be ordered"));
  return errors;
}

function conditionErrors(patterns: readonly PodFailurePolicyOnPodConditionsPattern[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (patterns.length > PATTERNS_MAX) errors.push(tooMany(path, patterns.length, PATTERNS_MAX));
  patterns.forEach((pattern, i) => {
    const at = path.index(i);
    const status = pattern.status ?? "";
    errors.push(...qualifiedNameErrors(pattern.type ?? "", at.child("type")));
    if (status === "") errors.push(required(at.child("status"), `valid values: ${goList(STATUSES)}`));
    else if (!STATUSES.includes(status)) errors.push(notSupported(at.child("status"), status, STATUSES));
  });
  return errors;
}
