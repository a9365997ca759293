import type { LabelSelector } from "#api/generated/meta/v1.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";

/** A label that no pod has: an empty selector selects nothing in `v1beta1`, and all in `v1`. */
const KEY = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";
const NOTHING: LabelSelector = { matchExpressions: [{ key: KEY, operator: "Exists" }] };
const ALL_IN_V1BETA1: LabelSelector = { matchExpressions: [{ key: KEY, operator: "DoesNotExist" }] };

type Budget = { spec?: { selector?: LabelSelector } };

/** From `policy/v1beta1`: upstream's `Convert_v1beta1_PodDisruptionBudget_To_policy_PodDisruptionBudget`. */
export function fromOldBudget(object: ApiObject): ApiObject {
  const { spec } = object as unknown as Budget;
  if (spec?.selector === undefined) return object;
  const { selector } = spec;
  if (isEmpty(selector)) spec.selector = NOTHING;
  else if (semanticEqual(selector, ALL_IN_V1BETA1)) spec.selector = {};
  else if (selector.matchExpressions !== undefined) {
    spec.selector = { ...selector, matchExpressions: selector.matchExpressions.filter(({ key }) => key !== KEY) };
  }
  return object;
}

/** To `policy/v1beta1`. */
export function toOldBudget(object: ApiObject): ApiObject {
  const { spec } = object as unknown as Budget;
  if (spec?.selector === undefined) return object;
  if (semanticEqual(spec.selector, NOTHING)) spec.selector = {};
  else if (isEmpty(spec.selector)) spec.selector = ALL_IN_V1BETA1;
  return object;
}

function isEmpty({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length === 0;
}
