import type { Pod, PodSpec, SeccompProfile, Toleration } from "#api/generated/core/v1.ts";
import { type FieldError, forbidden, invalid } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { APP_ARMOR_ANNOTATION_PREFIX } from "../app-armor.ts";
import { visitContainers } from "../visit-containers.ts";
import { jsonValueErrors } from "./json-annotation.ts";
import type { PodValidationOptions } from "./options.ts";
import { localDescendingPathErrors } from "./paths.ts";
import { validateTolerations } from "./scheduling.ts";

/** Marks the API's image of a static pod. */
export const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";
const TOLERATIONS_ANNOTATION = "scheduler.alpha.kubernetes.io/tolerations";
const DELETION_COST_ANNOTATION = "controller.kubernetes.io/pod-deletion-cost";
const SECCOMP_POD_ANNOTATION = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER_PREFIX = "container.seccomp.security.alpha.kubernetes.io/";

type Annotations = Readonly<Record<string, string>>;

/** Annotations that mean something to pods; some were fields' forerunners. */
export function validatePodAnnotations(
  annotations: Annotations,
  spec: PodSpec,
  path: FieldPath,
  options: PodValidationOptions,
): FieldError[] {
  const errors: FieldError[] = [];
  const mirror = annotations[MIRROR_ANNOTATION];
  if (mirror !== undefined && !spec.nodeName) {
    errors.push(invalid(path.key(MIRROR_ANNOTATION), mirror, "must set spec.nodeName if mirror pod annotation is set"));
  }
  const tolerations = annotations[TOLERATIONS_ANNOTATION];
  if (tolerations) errors.push(...tolerationsErrors(tolerations, path));
  const cost = annotations[DELETION_COST_ANNOTATION];
  if (!options.allowInvalidPodDeletionCost && cost !== undefined && !isDeletionCost(cost)) {
    errors.push(invalid(path.key(DELETION_COST_ANNOTATION), cost, "must be a 32bit integer"));
  }
  const seccomp = annotations[SECCOMP_POD_ANNOTATION];
  if (seccomp !== undefined) errors.push(...seccompAnnotationErrors(seccomp, path.child(SECCOMP_POD_ANNOTATION)));
  for (const key of Object.keys(annotations).sort()) {
    const value = annotations[key] ?? "";
    if (key.startsWith(SECCOMP_CONTAINER_PREFIX)) errors.push(...seccompAnnotationErrors(value, path.child(key)));
    if (key.startsWith(APP_ARMOR_ANNOTATION_PREFIX)) errors.push(...appArmorAnnotationErrors(key, value, spec, path));
  }
  return errors;
}

/** A cost as Go's ParseInt reads it, without a plus and leading zeros. */
export function isDeletionCost(text: string): boolean {
  return /^(0|-\d+|[1-9]\d*)$/.test(text) && Math.abs(Number(text) + 0.5) <= 2147483647.5;
}

function tolerationsErrors(text: string, path: FieldPath): FieldError[] {
  const read = jsonValueErrors(text, "array", "[]core.Toleration");
  if (read.message !== undefined) return [invalid(path, TOLERATIONS_ANNOTATION, read.message)];
  return validateTolerations((read.value ?? []) as readonly Toleration[], path.child(TOLERATIONS_ANNOTATION));
}

const SECCOMP_PROFILES = ["runtime/default", "docker/default", "unconfined"];
const LOCALHOST = "localhost/";

function seccompAnnotationErrors(profile: string, path: FieldPath): FieldError[] {
  if (SECCOMP_PROFILES.includes(profile)) return [];
  if (profile.startsWith(LOCALHOST)) return localDescendingPathErrors(profile.slice(LOCALHOST.length), path);
  return [invalid(path, profile, "must be a valid seccomp profile")];
}

function appArmorAnnotationErrors(key: string, profile: string, spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const name = key.slice(APP_ARMOR_ANNOTATION_PREFIX.length);
  let found = false;
  visitContainers(spec, path, (container) => {
    if (container.name === name) found = true;
  });
  if (!found) errors.push(invalid(path.key(key), name, "container not found"));
  const known = profile === "" || profile === "runtime/default" || profile === "unconfined" || profile.startsWith(LOCALHOST);
  if (!known) errors.push(invalid(path.key(key), profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`));
  return errors;
}

/** Annotations that describe a running pod may not change. */
export function validatePodAnnotationsUpdate(pod: Pod, old: Pod, path: FieldPath, options: PodValidationOptions): FieldError[] {
  const errors: FieldError[] = [];
  const now: Annotations = pod.metadata?.annotations ?? {};
  const before: Annotations = old.metadata?.annotations ?? {};
  for (const key of Object.keys(before)) {
    if (now[key] === before[key]) continue;
    if (key.startsWith(APP_ARMOR_ANNOTATION_PREFIX)) {
      errors.push(forbidden(path.key(key), "may not remove or update AppArmor annotations"));
    }
    if (key === MIRROR_ANNOTATION) errors.push(forbidden(path.key(key), "may not remove or update mirror pod annotation"));
  }
  for (const key of Object.keys(now)) {
    if (key in before) continue;
    if (key.startsWith(APP_ARMOR_ANNOTATION_PREFIX)) errors.push(forbidden(path.key(key), "may not add AppArmor annotations"));
    if (key === MIRROR_ANNOTATION) errors.push(forbidden(path.key(key), "may not add mirror pod annotation"));
  }
  return [...errors, ...validatePodAnnotations(now, pod.spec ?? { containers: [] }, path, options)];
}

/** Where a profile is given by annotation and by field, both must say the same. */
export function profilesMatchErrors(pod: Pod, path: FieldPath): FieldError[] {
  const annotations: Annotations = pod.metadata?.annotations ?? {};
  const spec = pod.spec ?? { containers: [] };
  const errors: FieldError[] = [];
  const ofPod = spec.securityContext?.seccompProfile;
  const podAnnotation = annotations[SECCOMP_POD_ANNOTATION];
  if (ofPod && podAnnotation !== undefined) {
    errors.push(...seccompMismatch(podAnnotation, ofPod, path.child("securityContext", "seccompProfile")));
  }
  visitContainers(spec, path, (container, at) => {
    const profile = container.securityContext?.seccompProfile;
    const annotation = annotations[`${SECCOMP_CONTAINER_PREFIX}${container.name}`];
    if (profile && annotation !== undefined) {
      errors.push(...seccompMismatch(annotation, profile, at.child("securityContext", "seccompProfile")));
    }
  });
  if (spec.os?.name === "windows") return errors;
  visitContainers(spec, path, (container, at) => {
    const profile = container.securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
    const annotation = annotations[`${APP_ARMOR_ANNOTATION_PREFIX}${container.name}`];
    if (!profile || annotation === undefined) return;
    const profilePath = at.child("securityContext", "appArmorProfile");
    errors.push(...mismatch(annotation, profile, ["runtime/default"], ["apparmor", profilePath]));
  });
  return errors;
}

function seccompMismatch(annotation: string, profile: SeccompProfile, path: FieldPath): FieldError[] {
  return mismatch(annotation, profile, ["runtime/default", "docker/default"], ["seccomp", path]);
}

function mismatch(
  annotation: string,
  profile: { readonly type?: string; readonly localhostProfile?: string },
  runtimeDefaults: readonly string[],
  [what, path]: readonly [string, FieldPath],
): FieldError[] {
  const types = [forbidden(path.child("type"), `${what} type in annotation and field must match`)];
  if (profile.type === "Unconfined") return annotation === "unconfined" ? [] : types;
  if (profile.type === "RuntimeDefault") return runtimeDefaults.includes(annotation) ? [] : types;
  if (profile.type !== "Localhost") return [];
  if (!annotation.startsWith(LOCALHOST)) return types;
  if (annotation.slice(LOCALHOST.length) === profile.localhostProfile) return [];
  return [forbidden(path.child("localhostProfile"), `${what} profile in annotation and field must match`)];
}
