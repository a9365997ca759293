import type {
  Container,
  EphemeralContainer,
  NodeAffinity,
  NodeSelectorTerm,
  Pod,
  PodSchedulingGate,
  PodSpec,
  Toleration,
} from "#api/generated/core/v1.ts";
import type { Draft, ObjectMeta } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, forbidden, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import { validateObjectMeta } from "#apimachinery/validation/object-meta.ts";
import { internalEqual, toInternal } from "../internal-form.ts";
import { jsonDiff } from "../unified-diff.ts";
import { MIRROR_ANNOTATION, validatePodAnnotationsUpdate } from "./annotations.ts";
import { podOptionsFor } from "./options-for.ts";
import { validatePodMetadataAndSpec } from "./pod.ts";
import { validateTolerations } from "./scheduling.ts";

const metadataPath = FieldPath.of("metadata");
const specPath = FieldPath.of("spec");
const NO_SPEC: PodSpec = { containers: [] };
const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const INT32_MAX = 2147483647;

const UPDATABLE =
  "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/** What every kind of pod update checks first: upstream looks at the whole object once more. */
export function validateWholePod(pod: Pod, old: Pod): FieldError[] {
  const options = podOptionsFor(old.spec ?? NO_SPEC, old.metadata?.annotations);
  return [
    ...validateObjectMeta((pod.metadata ?? {}) as ObjectMeta, true, nameIsDnsSubdomain, metadataPath),
    ...validatePodMetadataAndSpec(pod, options),
  ];
}

/** Upstream's `ValidatePodUpdate`: hardly anything of a running pod may change. */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const spec = pod.spec ?? NO_SPEC;
  const oldSpec = old.spec ?? NO_SPEC;
  const options = podOptionsFor(oldSpec, old.metadata?.annotations);
  const errors = [
    ...validateWholePod(pod, old),
    ...validatePodAnnotationsUpdate(pod, old, metadataPath.child("annotations"), options),
  ];
  for (const field of ["containers", "initContainers"] as const) {
    const containers: readonly Container[] = spec[field] ?? [];
    if (containers.length !== (oldSpec[field] ?? []).length) {
      errors.push(forbidden(specPath.child(field), "pod updates may not add or remove containers"));
      return errors;
    }
    containers.forEach((container, i) => {
      errors.push(...imageErrors(container.image ?? "", specPath.child(field).index(i).child("image")));
    });
  }
  const deadline = deadlineErrors(spec.activeDeadlineSeconds, oldSpec.activeDeadlineSeconds);
  errors.push(...deadline.errors);
  if (deadline.stop) return errors;
  errors.push(
    ...onlyAddedTolerations(spec.tolerations ?? [], oldSpec.tolerations ?? []),
    ...onlyDeletedGates(spec.schedulingGates ?? [], oldSpec.schedulingGates ?? []),
  );
  if (internalEqual("PodSpec", spec, oldSpec)) return errors;
  const munged = withoutUpdatable(spec, oldSpec);
  if ((oldSpec.schedulingGates ?? []).length > 0) errors.push(...mungeGated(munged, oldSpec));
  if (!internalEqual("PodSpec", munged, oldSpec)) {
    const diff = jsonDiff(toInternal("PodSpec", oldSpec), toInternal("PodSpec", munged));
    errors.push(forbidden(specPath, `pod updates may not change fields other than ${UPDATABLE}\n${diff}`));
  }
  return errors;
}

function imageErrors(image: string, path: FieldPath): FieldError[] {
  if (image === "") return [required(path, "")];
  return image.trim() === image ? [] : [invalid(path, image, "must not have leading or trailing whitespace")];
}

/** A deadline may be set, or come nearer. */
function deadlineErrors(now: number | undefined, before: number | undefined): { errors: FieldError[]; stop: boolean } {
  const path = specPath.child("activeDeadlineSeconds");
  if (now === undefined || now === null) {
    if (before === undefined || before === null) return { errors: [], stop: false };
    return { errors: [invalid(path, null, "must not update from a positive integer to nil value")], stop: false };
  }
  if (now < 0 || now > INT32_MAX) {
    return { errors: [invalid(path, now, `must be between 0 and ${INT32_MAX}, inclusive`)], stop: true };
  }
  if (before !== undefined && before !== null && before < now) {
    return { errors: [invalid(path, now, "must be less than or equal to previous value")], stop: true };
  }
  return { errors: [], stop: false };
}

function onlyAddedTolerations(now: readonly Toleration[], before: readonly Toleration[]): FieldError[] {
  const path = specPath.child("tolerations");
  const bare = (toleration: Toleration): Toleration => {
    const { tolerationSeconds: _, ...rest } = toleration;
    return rest;
  };
  const kept = before.every((old) => now.some((toleration) => semanticEqual(bare(toleration), bare(old))));
  if (!kept) return [forbidden(path, "existing toleration can not be modified except its tolerationSeconds")];
  return validateTolerations(now, path);
}

function onlyDeletedGates(now: readonly PodSchedulingGate[], before: readonly PodSchedulingGate[]): FieldError[] {
  const known = new Set(before.map((gate) => gate.name));
  return now.flatMap((gate, i) => {
    if (known.has(gate.name)) return [];
    const detail = `only deletion is allowed, but found new scheduling gate '${gate.name}'`;
    return [forbidden(specPath.child("schedulingGates").index(i).child("name"), detail)];
  });
}

/** A copy of the new spec with the old values of everything that may change. */
function withoutUpdatable(spec: PodSpec, old: PodSpec): Draft<PodSpec> {
  const munged: Draft<PodSpec> = deepCopy(spec);
  for (const field of ["containers", "initContainers"] as const) {
    (munged[field] ?? []).forEach((container, i) => {
      restore(container, old[field]?.[i] as Draft<Container> | undefined, "image");
    });
  }
  const before: Draft<PodSpec> = deepCopy(old);
  restore(munged, before, "activeDeadlineSeconds");
  restore(munged, before, "schedulingGates");
  restore(munged, before, "tolerations");
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && munged.terminationGracePeriodSeconds === 1) {
    restore(munged, before, "terminationGracePeriodSeconds");
  }
  return munged;
}

function restore<T extends object, K extends keyof T>(target: T, from: T | undefined, field: K): void {
  const value = from?.[field];
  if (value === undefined) delete target[field];
  else target[field] = value;
}

/** A pod that is not yet to be scheduled may be narrowed to fewer nodes (KEP-3838). */
function mungeGated(munged: Draft<PodSpec>, old: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  const before: Draft<PodSpec> = deepCopy(old);
  if (!semanticEqual(munged.nodeSelector ?? {}, old.nodeSelector ?? {})) {
    const now = munged.nodeSelector ?? {};
    const kept = Object.entries(old.nodeSelector ?? {}).every(([key, value]) => now[key] === value);
    if (!kept) {
      const sorted = Object.fromEntries(Object.entries(now).sort(([a], [b]) => (a < b ? -1 : 1)));
      const detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
      errors.push(invalid(specPath.child("nodeSelector"), munged.nodeSelector ? sorted : null, detail));
    }
    restore(munged, before, "nodeSelector");
  }
  const oldNode = old.affinity?.nodeAffinity;
  const newNode = munged.affinity?.nodeAffinity;
  if (semanticEqual(oldNode, newNode)) return errors;
  errors.push(...nodeAffinityErrors(newNode, oldNode));
  if (!munged.affinity) {
    if (before.affinity?.nodeAffinity) munged.affinity = { nodeAffinity: before.affinity.nodeAffinity };
  } else if (!old.affinity && !munged.affinity.podAffinity && !munged.affinity.podAntiAffinity) delete munged.affinity;
  else restore(munged.affinity, before.affinity, "nodeAffinity");
  return errors;
}

function nodeAffinityErrors(now: NodeAffinity | undefined, before: NodeAffinity | undefined): FieldError[] {
  const required = before?.[REQUIRED];
  if (!required) return [];
  const path = specPath.child("affinity", "nodeAffinity", REQUIRED, "nodeSelectorTerms");
  const oldTerms = required.nodeSelectorTerms ?? [];
  const terms = now?.[REQUIRED]?.nodeSelectorTerms ?? [];
  const internal = (term: NodeSelectorTerm): object => toInternal("NodeSelectorTerm", term);
  if (oldTerms.length > 0 && oldTerms.length !== terms.length) {
    const value = terms.length === 0 ? null : terms.map(internal);
    return [invalid(path, value, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")];
  }
  return oldTerms.flatMap((old, i) => {
    const term = terms[i] ?? {};
    if (hasOnlyAdditions(term, old)) return [];
    return [invalid(path.index(i), internal(term), "only additions are allowed (no mutations or deletions)")];
  });
}

function hasOnlyAdditions(term: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const fields = ["matchExpressions", "matchFields"] as const;
  const wasEmpty = fields.every((field) => (old[field] ?? []).length === 0);
  if (wasEmpty && fields.some((field) => (term[field] ?? []).length > 0)) return false;
  return fields.every((field) => {
    const before = old[field] ?? [];
    return before.length === 0 || semanticEqual((term[field] ?? []).slice(0, before.length), before);
  });
}

/** Upstream's `ValidatePodEphemeralContainersUpdate`: they may be added, and stay as they are. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  if (old.metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined) {
    return [forbidden(FieldPath.root.key(""), "static pods do not support ephemeral containers")];
  }
  const options = podOptionsFor(old.spec ?? NO_SPEC, old.metadata?.annotations);
  const path = specPath.child("ephemeralContainers");
  const errors = [
    ...validateWholePod(pod, old),
    ...validatePodAnnotationsUpdate(pod, old, metadataPath.child("annotations"), options),
  ];
  const byName = new Map<string, EphemeralContainer>();
  for (const container of pod.spec?.ephemeralContainers ?? []) byName.set(container.name, container);
  for (const container of old.spec?.ephemeralContainers ?? []) {
    const now = byName.get(container.name);
    const quoted = JSON.stringify(container.name);
    if (!now) {
      errors.push(forbidden(path, `existing ephemeral containers ${quoted} may not be removed\n`));
    } else if (!internalEqual("EphemeralContainer", container, now)) {
      const diff = jsonDiff(toInternal("EphemeralContainer", container), toInternal("EphemeralContainer", now));
      errors.push(forbidden(path, `existing ephemeral containers ${quoted} may not be changed\n${diff}`));
    }
  }
  return errors;
}
