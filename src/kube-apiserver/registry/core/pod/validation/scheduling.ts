import type { PodReadinessGate, PodSchedulingGate, Toleration, TopologySpreadConstraint } from "#api/generated/core/v1.ts";
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isValidLabelValue } from "#apimachinery/validation/names.ts";
import { validateLabelSelector } from "#apimachinery/validation/object-meta.ts";
import { qualifiedNameErrors } from "./field-checks.ts";
import type { PodValidationOptions } from "./options.ts";

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/** Taints that a pod can live with. */
export function validateTolerations(tolerations: readonly Toleration[], path: FieldPath): FieldError[] {
  return tolerations.flatMap((toleration, i) => tolerationErrors(toleration, path.index(i)));
}

function tolerationErrors(toleration: Toleration, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { key = "", operator = "", value = "", effect = "", tolerationSeconds } = toleration;
  if (key !== "") errors.push(...qualifiedNameErrors(key, path.child("key")));
  if (key === "" && operator !== "Exists") {
    const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(invalid(path.child("operator"), operator, detail));
  }
  if (tolerationSeconds !== undefined && tolerationSeconds !== null && effect !== "NoExecute") {
    errors.push(invalid(path.child("effect"), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  if (operator === "Equal" || operator === "") {
    const messages = isValidLabelValue(value);
    if (messages.length > 0) errors.push(invalid(path.child("operator"), value, messages.join(";")));
  } else if (operator === "Exists") {
    if (value !== "") errors.push(invalid(path.child("operator"), value, "value must be empty when `operator` is 'Exists'"));
  } else if (operator === "Lt" || operator === "Gt") {
    // Known, but behind a feature gate that is off (KEP-5471).
    errors.push(notSupported(path.child("operator"), operator, ["Equal", "Exists", "Lt", "Gt"]));
  } else {
    errors.push(notSupported(path.child("operator"), operator, ["Equal", "Exists"]));
  }
  if (effect !== "" && !EFFECTS.includes(effect)) errors.push(notSupported(path.child("effect"), effect, EFFECTS));
  return errors;
}

/** Conditions that count for readiness. */
export function validateReadinessGates(gates: readonly PodReadinessGate[], path: FieldPath): FieldError[] {
  return gates.flatMap((gate, i) => qualifiedNameErrors(gate.conditionType ?? "", path.index(i).child("conditionType")));
}

/** What keeps a pod from being scheduled. */
export function validateSchedulingGates(gates: readonly PodSchedulingGate[], path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return gates.flatMap((gate, i) => {
    const name = gate.name ?? "";
    const errors = qualifiedNameErrors(name, path.index(i));
    if (seen.has(name)) errors.push(duplicate(path.index(i), name));
    seen.add(name);
    return errors;
  });
}

const UNSATISFIABLE_ACTIONS = ["DoNotSchedule", "ScheduleAnyway"];
const NODE_POLICIES = ["Honor", "Ignore"];

/** How pods spread over zones, nodes and the like. */
export function validateTopologySpread(
  constraints: readonly TopologySpreadConstraint[],
  path: FieldPath,
  options: PodValidationOptions,
): FieldError[] {
  return constraints.flatMap((constraint, i) => {
    const at = path.index(i);
    const errors: FieldError[] = [];
    const skew = constraint.maxSkew ?? 0;
    const topologyKey = constraint.topologyKey ?? "";
    const action = constraint.whenUnsatisfiable ?? "";
    if (skew <= 0) errors.push(invalid(at.child("maxSkew"), skew, "must be greater than zero"));
    if (topologyKey === "") errors.push(required(at.child("topologyKey"), "can not be empty"));
    if (!UNSATISFIABLE_ACTIONS.includes(action)) {
      errors.push(notSupported(at.child("whenUnsatisfiable"), action, UNSATISFIABLE_ACTIONS));
    }
    const repeated = constraints
      .slice(i + 1)
      .some((other) => (other.topologyKey ?? "") === topologyKey && (other.whenUnsatisfiable ?? "") === action);
    if (repeated) errors.push(duplicate(at.child("{topologyKey, whenUnsatisfiable}"), `{${topologyKey}, ${action}}`));
    errors.push(...minDomainsErrors(constraint.minDomains, action, at.child("minDomains")));
    for (const field of ["nodeAffinityPolicy", "nodeTaintsPolicy"] as const) {
      const policy = constraint[field];
      if (policy !== undefined && policy !== null && !NODE_POLICIES.includes(policy)) {
        errors.push(notSupported(at.child(field), policy, NODE_POLICIES));
      }
    }
    errors.push(...matchLabelKeysErrors(constraint, at));
    if (!options.allowInvalidTopologySpreadConstraintLabelSelector && constraint.labelSelector) {
      const selectorOptions = { allowInvalidLabelValueInSelector: false };
      errors.push(...validateLabelSelector(constraint.labelSelector, selectorOptions, at.child("labelSelector")));
    }
    return errors;
  });
}

function minDomainsErrors(minDomains: number | undefined, action: string, path: FieldPath): FieldError[] {
  if (minDomains === undefined || minDomains === null) return [];
  const errors: FieldError[] = [];
  if (minDomains <= 0) errors.push(invalid(path, minDomains, "must be greater than zero"));
  if (action !== "DoNotSchedule") {
    const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`;
    errors.push(invalid(path, minDomains, detail));
  }
  return errors;
}

function matchLabelKeysErrors(constraint: TopologySpreadConstraint, path: FieldPath): FieldError[] {
  const keys = constraint.matchLabelKeys ?? [];
  if (keys.length === 0) return [];
  const selector = constraint.labelSelector;
  const at = path.child("matchLabelKeys");
  if (!selector) return [forbidden(at, "must not be specified when labelSelector is not set")];
  const errors = keys.flatMap((key, i) => qualifiedNameErrors(key, at.index(i)));
  // The keys were merged into the selector before, so a key that stands there twice was given in both places.
  const seen = new Set(Object.keys(selector.matchLabels ?? {}));
  for (const { key } of selector.matchExpressions ?? []) {
    const index = keys.lastIndexOf(key);
    if (index >= 0 && seen.has(key)) {
      errors.push(invalid(path.index(index), key, "exists in both matchLabelKeys and labelSelector"));
    }
    seen.add(key);
  }
  return errors;
}
