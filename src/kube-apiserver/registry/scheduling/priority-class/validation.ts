import type { PriorityClass } from "#api/generated/scheduling/v1.ts";
import { type FieldError, forbidden, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateImmutableField } from "#apimachinery/validation/object-meta.ts";

/** Higher priorities are for the system. */
const USER_PRIORITY_MAX = 1_000_000_000;
const SYSTEM_PREFIX = "system-";
/** Classes that the server makes itself. */
export const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  "system-node-critical": 2_000_001_000,
  "system-cluster-critical": 2_000_000_000,
};
const PREEMPTION_POLICIES = ["PreemptLowerPriority", "Never"];
const policyPath = FieldPath.of("preemptionPolicy");

/** Upstream's `ValidatePriorityClass` without the metadata rules. */
export function validatePriorityClass(priorityClass: PriorityClass): FieldError[] {
  const { metadata, value = 0, preemptionPolicy } = priorityClass;
  const errors: FieldError[] = [];
  if (metadata.name?.startsWith(SYSTEM_PREFIX)) {
    const wrong = systemClassError(priorityClass);
    if (wrong !== undefined) {
      const detail = `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${wrong}`;
      errors.push(forbidden(FieldPath.of("metadata", "name"), detail));
    }
  } else if (value > USER_PRIORITY_MAX) {
    const detail = `maximum allowed value of a user defined priority is ${USER_PRIORITY_MAX}`;
    errors.push(forbidden(FieldPath.of("value"), detail));
  }
  if (preemptionPolicy === "") errors.push(required(policyPath, ""));
  else if (preemptionPolicy !== undefined && !PREEMPTION_POLICIES.includes(preemptionPolicy)) {
    errors.push(notSupported(policyPath, preemptionPolicy, PREEMPTION_POLICIES));
  }
  return errors;
}

/** Only the description, and whether the class is the default, may change. */
export function validatePriorityClassUpdate(priorityClass: PriorityClass, old: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  if ((priorityClass.value ?? 0) !== (old.value ?? 0)) {
    errors.push(forbidden(FieldPath.of("value"), "may not be changed in an update."));
  }
  return [...errors, ...validateImmutableField(priorityClass.preemptionPolicy, old.preemptionPolicy, policyPath)];
}

function systemClassError({ metadata, value = 0, globalDefault = false }: PriorityClass): string | undefined {
  const { name = "" } = metadata;
  const wanted = Object.hasOwn(SYSTEM_CLASSES, name) ? SYSTEM_CLASSES[name] : undefined;
  if (wanted === undefined) return `${name} is not a known system priority class`;
  if (value !== wanted) return `value of ${name} PriorityClass must be ${wanted}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}
