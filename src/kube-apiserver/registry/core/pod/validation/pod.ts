import type { Pod, PodSpec, PodTemplateSpec } from "#api/generated/core/v1.ts";
import type { ObjectMeta } from "#apimachinery/meta/api-object.ts";
import { type FieldError, forbidden } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateAnnotations, validateLabels } from "#apimachinery/validation/object-meta.ts";
import { profilesMatchErrors, validatePodAnnotations } from "./annotations.ts";
import { validateContainerOnlyForPod } from "./containers.ts";
import { POD_OPTIONS, type PodValidationOptions } from "./options.ts";
import { validatePodSpec } from "./pod-spec.ts";

const metadataPath = FieldPath.of("metadata");
const specPath = FieldPath.of("spec");
const NO_SPEC: PodSpec = { containers: [] };

/** A pod's metadata and spec, at creation and at any update. The generic rules for metadata have been applied before. */
export function validatePodMetadataAndSpec(pod: Pod, options: PodValidationOptions): FieldError[] {
  const spec = pod.spec ?? NO_SPEC;
  const errors = [
    ...validatePodAnnotations(pod.metadata?.annotations ?? {}, spec, metadataPath.child("annotations"), options),
    ...validatePodSpec(spec, pod.metadata as ObjectMeta | undefined, specPath, options),
  ];
  if (!spec.serviceAccountName) {
    (spec.volumes ?? []).forEach((volume, v) => {
      (volume.projected?.sources ?? []).forEach((source, s) => {
        if (!source.serviceAccountToken) return;
        const at = specPath.child("volumes").index(v).child("projected", "sources").index(s).child("serviceAccountToken");
        errors.push(forbidden(at, "must not be specified when serviceAccountName is not set"));
      });
    });
  }
  for (const field of ["containers", "initContainers"] as const) {
    (spec[field] ?? []).forEach((container, i) => {
      errors.push(...validateContainerOnlyForPod(container, specPath.child(field).index(i)));
    });
  }
  return errors;
}

/** Upstream's `ValidatePodCreate`. */
export function validatePodCreate(pod: Pod): FieldError[] {
  const spec = pod.spec ?? NO_SPEC;
  const errors = validatePodMetadataAndSpec(pod, POD_OPTIONS);
  if ((spec.ephemeralContainers ?? []).length > 0) {
    errors.push(forbidden(specPath.child("ephemeralContainers"), "cannot be set on create"));
  }
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    errors.push(forbidden(specPath.child("nodeName"), "cannot be set until all schedulingGates have been cleared"));
  }
  return [...errors, ...profilesMatchErrors(pod, specPath)];
}

/** Labels and annotations of a template. */
export function validateTemplateMetadata(
  template: PodTemplateSpec,
  path: FieldPath,
  options: PodValidationOptions,
): FieldError[] {
  const { labels, annotations } = template.metadata ?? {};
  return [
    ...validateLabels(labels, path.child("labels")),
    ...validateAnnotations(annotations, path.child("annotations")),
    ...validatePodAnnotations(annotations ?? {}, template.spec ?? NO_SPEC, path.child("annotations"), options),
  ];
}

/** Upstream's `ValidatePodTemplateSpec`. */
export function validatePodTemplateSpec(template: PodTemplateSpec, path: FieldPath, options: PodValidationOptions): FieldError[] {
  const spec = template.spec ?? NO_SPEC;
  const metadata = template.metadata ?? {};
  const errors = [
    ...validateTemplateMetadata(template, path, options),
    ...validatePodSpec(spec, undefined, path.child("spec"), options),
    ...profilesMatchErrors({ metadata, spec }, path.child("spec")).filter((error) => error.message.includes("seccomp")),
  ];
  if ((spec.ephemeralContainers ?? []).length > 0) {
    errors.push(forbidden(path.child("spec", "ephemeralContainers"), "ephemeral containers not allowed in pod template"));
  }
  return errors;
}
