import type { Toleration } from "#api/generated/core/v1.ts";
import type { RuntimeClass, Scheduling } from "#api/generated/node/v1.ts";
import { duplicate, type FieldError, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateImmutableField, validateLabels } from "#apimachinery/validation/object-meta.ts";
import { deprecatedLabel } from "../../core/persistent-volume/warnings.ts";
import { toInternal } from "../../core/pod/internal-form.ts";
import { dnsLabelErrors } from "../../core/pod/validation/field-checks.ts";
import { TEMPLATE_OPTIONS } from "../../core/pod/validation/options.ts";
import { validateContainerResources } from "../../core/pod/validation/resources.ts";
import { validateTolerations } from "../../core/pod/validation/scheduling.ts";

/** What makes two tolerations one. */
const TOLERATION_KEYS = ["key", "operator", "value", "effect"] as const;
const handlerPath = FieldPath.of("handler");

/** Upstream's `ValidateRuntimeClass` without the metadata rules. */
export function validateRuntimeClass({ handler, overhead, scheduling }: RuntimeClass): FieldError[] {
  const errors = handler ? dnsLabelErrors(handler, handlerPath) : [required(handlerPath, "")];
  if (overhead) {
    const limits = overhead.podFixed ?? {};
    errors.push(...validateContainerResources({ limits }, new Set(), FieldPath.of("overhead"), TEMPLATE_OPTIONS));
  }
  return scheduling ? [...errors, ...validateScheduling(scheduling, FieldPath.of("scheduling"))] : errors;
}

/** The handler of a class cannot change. */
export function validateRuntimeClassUpdate(runtimeClass: RuntimeClass, old: RuntimeClass): FieldError[] {
  return [...validateRuntimeClass(runtimeClass), ...validateImmutableField(runtimeClass.handler, old.handler, handlerPath)];
}

/** Upstream's `GetWarningsForRuntimeClass`: node labels that others have replaced. */
export function runtimeClassWarnings({ scheduling }: RuntimeClass): string[] {
  return Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) => {
    const message = deprecatedLabel(key);
    return message === undefined ? [] : `scheduling.nodeSelector: ${message}`;
  });
}

function validateScheduling({ nodeSelector, tolerations = [] }: Scheduling, path: FieldPath): FieldError[] {
  const at = path.child("tolerations");
  const errors = [...validateLabels(nodeSelector, path.child("nodeSelector")), ...validateTolerations(tolerations, at)];
  tolerations.forEach((toleration, i) => {
    const before: readonly Toleration[] = tolerations.slice(0, i);
    if (before.some((other) => TOLERATION_KEYS.every((key) => (other[key] ?? "") === (toleration[key] ?? "")))) {
      errors.push(duplicate(at.index(i), toInternal("Toleration", toleration)));
    }
  });
  return errors;
}
