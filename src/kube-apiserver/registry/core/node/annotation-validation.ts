import type { Taint } from "#api/generated/core/v1.ts";
import { type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { jsonValueErrors } from "../pod/validation/json-annotation.ts";
import { validateTaints } from "./taint-validation.ts";

const TAINTS = "scheduler.alpha.kubernetes.io/taints";
const AVOID_PODS = "scheduler.alpha.kubernetes.io/preferAvoidPods";

interface AvoidedPods {
  readonly podSignature?: { readonly podController?: { readonly controller?: boolean } };
}

/** Upstream's `ValidateNodeSpecificAnnotations`: what was written as annotations before there were fields is still read. */
export function validateNodeAnnotations(annotations: Readonly<Record<string, string>>, path: FieldPath): FieldError[] {
  const { [TAINTS]: taints, [AVOID_PODS]: avoided } = annotations;
  return [...(taints ? taintErrors(taints, path) : []), ...(avoided ? avoidedPodsErrors(avoided, path) : [])];
}

function taintErrors(text: string, path: FieldPath): FieldError[] {
  const read = jsonValueErrors(text, "array", "[]core.Taint");
  if (read.message !== undefined) return [invalid(path, TAINTS, read.message)];
  return validateTaints((read.value ?? []) as readonly Taint[], path.child(TAINTS));
}

function avoidedPodsErrors(text: string, path: FieldPath): FieldError[] {
  const read = jsonValueErrors(text, "object", "v1.AvoidPods");
  if (read.message !== undefined) return [invalid(path.child("AvoidPods"), AVOID_PODS, read.message)];
  const list = ((read.value ?? {}) as { readonly preferAvoidPods?: readonly AvoidedPods[] }).preferAvoidPods ?? [];
  return list.flatMap((entry, i) => {
    const at = path.child(AVOID_PODS).index(i).child("PodSignature");
    const controller = entry.podSignature?.podController;
    if (!controller) return [required(at, "")];
    if (controller.controller) return [];
    return [invalid(at.child("PodController", "Controller"), false, "must point to a controller")];
  });
}
