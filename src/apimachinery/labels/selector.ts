import { ownValue } from "#base/own-value.ts";
import { aggregateFieldErrors } from "../api-errors/errors.ts";
import { type FieldError, goQuote, invalid } from "../validation/field-error.ts";
import { FieldPath } from "../validation/field-path.ts";
import type { LabelSelectorFields } from "../validation/labels.ts";
import { isQualifiedName, isValidLabelValue } from "../validation/names.ts";

/** Upstream's `selection.Operator`. */
export type LabelOperator = "!" | "=" | "==" | "in" | "!=" | "notin" | "exists" | "gt" | "lt";

/** One condition of a label selector. `values` are sorted and each there once when they were parsed from text. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

/** A label selector, ready to match. Immutable. */
export interface LabelSelector {
  matches(labels: Readonly<Record<string, string>> | undefined): boolean;
  /** Matches everything. */
  readonly empty: boolean;
  readonly requirements: readonly LabelRequirement[];
  /** The text form, requirements sorted by key. */
  toString(): string;
}

/** Matches every object. */
export const everything: LabelSelector = { matches: () => true, empty: true, requirements: [], toString: () => "" };
/** Matches no object: what an absent label selector means. */
export const nothing: LabelSelector = { matches: () => false, empty: false, requirements: [], toString: () => "" };

type Labels = Readonly<Record<string, string>> | undefined;

function lookup(labels: Labels, key: string): string | undefined {
  return labels !== undefined && labels !== null && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** Go's ParseInt of 64 bits; undefined for what it refuses. */
function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

/** Whether labels meet one requirement. */
export function requirementMatches({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = lookup(labels, key);
  switch (operator) {
    case "in":
    case "=":
    case "==":
      return value !== undefined && values.includes(value);
    case "notin":
    case "!=":
      return value === undefined || !values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    default: {
      const left = value === undefined ? undefined : parseInt64(value);
      const right = parseInt64(values[0] ?? "");
      if (left === undefined || right === undefined) return false;
      return operator === "gt" ? left > right : left < right;
    }
  }
}

/** A selector of requirements that are known to be valid. */
export function selectorFromRequirements(requirements: readonly LabelRequirement[]): LabelSelector {
  if (requirements.length === 0) return everything;
  const sorted = [...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return {
    matches: (labels) => {
      for (const requirement of sorted) if (!requirementMatches(requirement, labels)) return false;
      return true;
    },
    empty: false,
    requirements: sorted,
    toString: () => sorted.map(formatRequirement).join(","),
  };
}

/** A selector of exactly these labels; not validated. */
export function selectorFromSet(labels: Labels): LabelSelector {
  const entries = Object.entries(labels ?? {});
  return selectorFromRequirements(entries.map(([key, value]) => ({ key, operator: "=", values: [value] })));
}

const OBJECT_OPERATORS: Readonly<Record<string, LabelOperator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

/**
 * The meaning of a `metav1.LabelSelector`: absent selects nothing, an empty one everything.
 * Throws an Error with upstream's text when it is malformed.
 */
export function labelSelectorFromObject(selector: LabelSelectorFields | null | undefined): LabelSelector {
  if (selector === undefined || selector === null) return nothing;
  const requirements: LabelRequirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) requirements.push(newRequirement(key, "=", [value]));
  for (const expression of selector.matchExpressions ?? []) {
    const operator = ownValue(OBJECT_OPERATORS, expression.operator);
    if (operator === undefined) throw new Error(`${goQuote(expression.operator)} is not a valid label selector operator`);
    requirements.push(newRequirement(expression.key, operator, expression.values ?? []));
  }
  return selectorFromRequirements(requirements);
}

/** A validated requirement. Throws an Error with upstream's text. */
export function newRequirement(key: string, operator: LabelOperator, values: readonly string[]): LabelRequirement {
  const errors: FieldError[] = [...labelKeyErrors(key, FieldPath.of("key"))];
  const path = FieldPath.of("values");
  const detail = valueCountError(operator, values.length);
  if (detail !== undefined) errors.push(invalid(path, [...values], detail));
  if (operator === "gt" || operator === "lt") {
    values.forEach((value, i) => {
      if (parseInt64(value) !== undefined) return;
      errors.push(invalid(path.index(i), value, "for 'Gt', 'Lt' operators, the value must be an integer"));
    });
  }
  values.forEach((value, i) => {
    const wrong = isValidLabelValue(value);
    if (wrong.length > 0) errors.push(invalid(path.index(i).key(key), value, wrong.join("; ")));
  });
  if (errors.length > 0) throw new Error(aggregateFieldErrors(errors));
  return { key, operator, values };
}

function valueCountError(operator: LabelOperator, count: number): string | undefined {
  switch (operator) {
    case "in":
    case "notin":
      return count === 0 ? "for 'in', 'notin' operators, values set can't be empty" : undefined;
    case "=":
    case "==":
    case "!=":
      return count === 1 ? undefined : "exact-match compatibility requires one single value";
    case "exists":
    case "!":
      return count === 0 ? undefined : "values set must be empty for exists and does not exist";
    default:
      return count === 1 ? undefined : "for 'Gt', 'Lt' operators, exactly one value is required";
  }
}

/** What is wrong with the key of a requirement; at most one error. */
export function labelKeyErrors(key: string, path: FieldPath): FieldError[] {
  const wrong = isQualifiedName(key);
  return wrong.length > 0 ? [invalid(path, key, wrong.join("; "))] : [];
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  const listed = [...values].sort().join(",");
  switch (operator) {
    case "!":
      return `!${key}`;
    case "exists":
      return key;
    case "in":
    case "notin":
      return `${key} ${operator} (${listed})`;
    case "gt":
      return `${key}>${listed}`;
    case "lt":
      return `${key}<${listed}`;
    default:
      return `${key}${operator}${listed}`;
  }
}
