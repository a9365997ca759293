import type { ResourceClaimTemplate } from "#api/generated/resource/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { IMMUTABLE_MESSAGE, validateAnnotations, validateLabels } from "#apimachinery/validation/object-meta.ts";
import { forbiddenTemplateMetadata } from "../../template-metadata.ts";
import { claimInGoForm } from "../claim-internal-form.ts";
import { validateClaimSpec } from "../claim-validation.ts";

const path = FieldPath.of("spec");
/** Upstream's `ValidateResourceClaimTemplate` without the template's own metadata rules. */
export function validateResourceClaimTemplate({ spec }: ResourceClaimTemplate): FieldError[] {
  const meta = spec?.metadata ?? {};
  const at = path.child("metadata");
  return [
    ...forbiddenTemplateMetadata(meta, at),
    ...validateLabels(meta.labels, at.child("labels")),
    ...validateAnnotations(meta.annotations, at.child("annotations")),
    ...validateClaimSpec(spec?.spec, path.child("spec")),
  ];
}

/** Templates never change. */
export function validateResourceClaimTemplateUpdate(template: ResourceClaimTemplate, old: ResourceClaimTemplate): FieldError[] {
  const errors = validateResourceClaimTemplate(template);
  if (semanticEqual(template.spec, old.spec)) return errors;
  const { metadata, spec } = template.spec ?? {};
  return [...errors, invalid(path, { ...metadata, Spec: claimInGoForm(spec) }, IMMUTABLE_MESSAGE)];
}
