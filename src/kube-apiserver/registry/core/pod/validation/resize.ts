import type { Container, Pod, PodSpec, ResourceRequirements } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, forbidden, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isSidecar } from "../pod-resources.ts";
import { computeQosClass } from "../qos-class.ts";
import { MIRROR_ANNOTATION } from "./annotations.ts";
import { validateWholePod } from "./update.ts";

const specPath = FieldPath.of("spec");
const NO_SPEC: PodSpec = { containers: [] };
const MUTABLE = ["cpu", "memory"] as const;

/** Upstream's `ValidatePodResize`: only cpu and memory of what goes on running (KEP-1287). */
export function validatePodResize(pod: Pod, old: Pod): FieldError[] {
  const spec = pod.spec ?? NO_SPEC;
  const oldSpec = old.spec ?? NO_SPEC;
  if (old.metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined) {
    return [forbidden(FieldPath.root.key(""), "static pods cannot be resized")];
  }
  if (oldSpec.os?.name === "windows") return [forbidden(FieldPath.root.key(""), "windows pods cannot be resized")];
  const errors = validateWholePod(pod, old);
  const qosClass = old.status?.qosClass || computeQosClass(oldSpec);
  if (qosClass !== computeQosClass(spec)) {
    const detail = "Pod QOS Class may not change as a result of resizing";
    errors.push(invalid(specPath, pod.status?.qosClass ?? "", detail));
  }
  if (!isResizeSupported(old)) errors.push(forbidden(specPath, "Pod running on node without support for resize"));
  for (const field of ["initContainers", "containers"] as const) {
    const before: readonly Container[] = oldSpec[field] ?? [];
    before.forEach((container, i) => {
      if (field === "initContainers" && !isSidecar(container)) return;
      const now = spec[field]?.[i];
      const at = specPath.child(field).index(i).child("resources");
      if (now) errors.push(...removedErrors(now.resources ?? {}, container.resources ?? {}, at));
    });
  }
  const munged: Draft<PodSpec> = deepCopy(spec);
  (munged.containers ?? []).forEach((container, i) => {
    restoreMutable(container, oldSpec.containers?.[i]);
    if (!semanticEqual(container, oldSpec.containers?.[i])) {
      errors.push(forbidden(specPath, "only cpu and memory resources are mutable"));
    }
  });
  (munged.initContainers ?? []).forEach((container, i) => {
    const before = oldSpec.initContainers?.[i];
    if (container.restartPolicy === "Always") {
      restoreMutable(container, before);
      if (!semanticEqual(container, before)) {
        errors.push(forbidden(specPath, "only cpu and memory resources for sidecar containers are mutable"));
      }
    } else if (!semanticEqual(container, before)) {
      errors.push(forbidden(specPath, "resources for non-sidecar init containers are immutable"));
    }
  });
  if (errors.length > 0) return errors;
  if (!semanticEqual(munged, oldSpec)) errors.push(forbidden(specPath, "only cpu and memory resources are mutable"));
  return errors;
}

/** A kubelet that can resize reports the containers' resources. */
function isResizeSupported(pod: Pod): boolean {
  const running = (pod.status?.containerStatuses ?? []).find((status) => status.state?.running);
  return !running || Boolean(running.resources);
}

function removedErrors(now: ResourceRequirements, before: ResourceRequirements, path: FieldPath): FieldError[] {
  return (["requests", "limits"] as const).flatMap((field) => {
    const removed = Object.keys(before[field] ?? {}).some((name) => now[field]?.[name] === undefined);
    return removed ? [forbidden(path.child(field), `resource ${field} cannot be removed`)] : [];
  });
}

/** Puts the old amounts of cpu and memory back, to compare the rest. */
function restoreMutable(container: Draft<Container>, old: Container | undefined): void {
  const resources: Draft<ResourceRequirements> = {};
  for (const field of ["limits", "requests"] as const) {
    const before = old?.resources?.[field];
    if (!before) continue;
    const list: Record<string, string> = { ...container.resources?.[field] };
    for (const name of MUTABLE) {
      delete list[name];
      const value = before[name];
      if (value !== undefined) list[name] = value;
    }
    resources[field] = list;
  }
  container.resources = resources;
}
