import type { Container, PodSpec } from "#api/generated/core/v1.ts";
import { duplicate, type FieldError, forbidden, notFound } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { type ContainerSurroundings, validateContainerCommon, validateContainerOnlyForPod } from "./containers.ts";

const NOT_FOR_EPHEMERAL = "cannot be set for an Ephemeral Container";
/** In the order of upstream's struct; each new field of containers is to be considered here. */
const FORBIDDEN_FIELDS = [
  "ports",
  "resources",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
] as const;

/** Containers added for debugging. They are checked in templates too, though nothing can be made of them there. */
export function validateEphemeralContainers(spec: PodSpec, around: ContainerSurroundings, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const others = new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((container) => container.name ?? ""));
  const names = new Set(others);
  (spec.ephemeralContainers ?? []).forEach((container, i) => {
    const at = path.index(i);
    const name = container.name ?? "";
    const target = container.targetContainerName ?? "";
    errors.push(...validateContainerCommon(container, around, at), ...validateContainerOnlyForPod(container, at));
    if (names.has(name)) errors.push(duplicate(at.child("name"), name));
    else names.add(name);
    if (target !== "" && !others.has(target)) errors.push(notFound(at.child("targetContainerName"), target));
    for (const field of FORBIDDEN_FIELDS) {
      if (isFilled(container, field)) errors.push(forbidden(at.child(field), NOT_FOR_EPHEMERAL));
    }
    (container.volumeMounts ?? []).forEach((mount, m) => {
      for (const field of ["subPath", "subPathExpr"] as const) {
        if (mount[field]) errors.push(forbidden(at.child("volumeMounts").index(m).child(field), NOT_FOR_EPHEMERAL));
      }
    });
  });
  return errors;
}

function isFilled(container: Container, field: (typeof FORBIDDEN_FIELDS)[number]): boolean {
  const value = container[field];
  if (value === undefined || value === null) return false;
  return field !== "resources" || Object.keys(value).length > 0;
}
