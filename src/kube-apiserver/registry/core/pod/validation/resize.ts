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
  const munged: Draft<PodSpec> = deepCopy(spec);
  errors.push(...podLevelErrors(munged, oldSpec));
  if ((old.status?.nodeAllocatableResourceClaimStatuses ?? []).length > 0) {
    errors.push(forbidden(specPath, "pods with node allocatable resource claims cannot be resized"));
  }
  const order = orderErrors(spec, oldSpec);
  if (order.length > 0) return [...errors, ...order];
  for (const field of LISTS) {
    const now: readonly Container[] = spec[field] ?? [];
    (oldSpec[field] ?? []).forEach((container, i) => {
      const at = specPath.child(field).index(i).child("resources");
      errors.push(...removedErrors(now[i]?.resources ?? {}, container.resources ?? {}, at, REMOVED));
    });
  }
  errors.push(...containersErrors(munged, oldSpec));
  if (errors.length > 0) return errors;
  if (!semanticEqual(munged, oldSpec)) errors.push(forbidden(specPath, "only cpu and memory resources are mutable"));
  return errors;
}

const LISTS = ["initContainers", "containers"] as const;

/** Resources of the pod as a whole follow the rules of containers' (KEP-5419); they are put back in `munged`. */
function podLevelErrors(munged: Draft<PodSpec>, old: PodSpec): FieldError[] {
  const { resources } = munged;
  const isSet = (given: ResourceRequirements | undefined): boolean =>
    Object.keys({ ...given?.requests, ...given?.limits }).length > 0;
  if (!isSet(resources) && !isSet(old.resources)) return [];
  const path = specPath.child("resources");
  if (resources === undefined) return old.resources ? [forbidden(path, "pod-level resources cannot be removed")] : [];
  const errors = removedErrors(resources, old.resources ?? {}, path, (field) => `pod-level resource ${field} cannot be removed`);
  const restored = withOldAmounts(resources, old.resources);
  if (old.resources === undefined && !isSet(restored) && (resources.claims ?? []).length === 0) delete munged.resources;
  else munged.resources = { ...(resources.claims ? { claims: resources.claims } : {}), ...restored };
  if (!semanticEqual(munged.resources, old.resources)) {
    errors.push(forbidden(specPath, "only cpu and memory resources are mutable at pod-level"));
  }
  return errors;
}

/** Containers are compared by their place. */
function orderErrors(spec: PodSpec, old: PodSpec): FieldError[] {
  return (["containers", "initContainers"] as const).flatMap((field) => {
    const now: readonly Container[] = spec[field] ?? [];
    const before: readonly Container[] = old[field] ?? [];
    const path = specPath.child(field);
    if (now.length !== before.length) return [forbidden(path, `${field} may not be added or removed on resize`)];
    return before.flatMap(({ name }, i) => {
      if (now[i]?.name === name) return [];
      return [forbidden(path.index(i).child("name"), `${field} may not be renamed or reordered on resize`)];
    });
  });
}

/** Puts the amounts of all containers back in `munged`, and tells of those in which more has changed. */
function containersErrors(munged: Draft<PodSpec>, old: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  (munged.containers ?? []).forEach((container, i) => {
    restoreMutable(container, old.containers?.[i]);
    if (!semanticEqual(container, old.containers?.[i])) {
      errors.push(forbidden(specPath, "only cpu and memory resources are mutable"));
    }
  });
  (munged.initContainers ?? []).forEach((container, i) => {
    const before = old.initContainers?.[i];
    const path = specPath.child("initContainers").index(i);
    const isChanged = !semanticEqual(container, before);
    restoreMutable(container, before);
    if (!semanticEqual(container, before)) {
      errors.push(forbidden(path, "only cpu and memory resources for init or sidecar containers are mutable"));
    }
    if (!isChanged || isSidecar(container)) return;
    for (const { restartPolicy } of container.resizePolicy ?? []) {
      if (restartPolicy !== "RestartContainer") continue;
      const detail = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized";
      errors.push(forbidden(path, detail));
    }
  });
  return errors;
}

/** A kubelet that can resize reports the containers' resources. */
function isResizeSupported(pod: Pod): boolean {
  const running = (pod.status?.containerStatuses ?? []).find((status) => status.state?.running);
  return !running || Boolean(running.resources);
}

const REMOVED = (field: string): string => `resource ${field} cannot be removed`;

function removedErrors(
  now: ResourceRequirements,
  before: ResourceRequirements,
  path: FieldPath,
  detail: (field: string) => string,
): FieldError[] {
  return (["requests", "limits"] as const).flatMap((field) => {
    const removed = Object.keys(before[field] ?? {}).some((name) => now[field]?.[name] === undefined);
    return removed ? [forbidden(path.child(field), detail(field))] : [];
  });
}

/** Puts the old amounts of cpu and memory back, to compare the rest. */
function restoreMutable(container: Draft<Container>, old: Container | undefined): void {
  container.resources = withOldAmounts(container.resources, old?.resources);
}

function withOldAmounts(
  resources: ResourceRequirements | undefined,
  old: ResourceRequirements | undefined,
): Draft<ResourceRequirements> {
  const restored: Draft<ResourceRequirements> = {};
  for (const field of ["limits", "requests"] as const) {
    const before = old?.[field];
    if (!before && !resources?.[field]) continue;
    const list: Record<string, string> = { ...resources?.[field] };
    for (const name of MUTABLE) {
      delete list[name];
      const value = before?.[name];
      if (value !== undefined) list[name] = value;
    }
    if (before || Object.keys(list).length > 0) restored[field] = list;
  }
  return restored;
}
