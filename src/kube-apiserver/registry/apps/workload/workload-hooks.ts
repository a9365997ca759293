import type { PodTemplateSpec } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { Strategy } from "#apiserver/registry/resource.ts";
import { dropDisabledPodFields } from "../../core/pod/disabled-fields.ts";
import { podTemplateWarnings, workloadNameWarnings } from "../../core/pod/warnings.ts";

/** A kind that makes pods of a template. */
interface Workload {
  readonly metadata?: { readonly name?: string; readonly generation?: number };
  readonly spec?: { readonly template?: PodTemplateSpec };
}

const templatePath = FieldPath.of("spec", "template");

/** What the strategies of such kinds do alike. */
export const WORKLOAD_HOOKS: Required<
  Pick<Strategy<Workload>, "prepareForCreate" | "prepareForUpdate" | "warningsOnUpdate" | "generationChanges">
> = {
  prepareForCreate: (o) => dropDisabledTemplateFields(o, undefined),
  prepareForUpdate: (o, old) => dropDisabledTemplateFields(o, old),
  warningsOnUpdate: (o, old) => (o.metadata?.generation === old.metadata?.generation ? [] : templateWarnings(o)),
  generationChanges: (o, old) => !semanticEqual(o.spec, old.spec),
};

/** Drops the template's fields behind gates that are off, unless they were in use before. */
export function dropDisabledTemplateFields(o: Draft<Workload>, old: Workload | undefined): void {
  if (o.spec?.template?.spec) dropDisabledPodFields(o.spec.template.spec, old?.spec?.template?.spec);
}

/** What upstream warns of in a template. */
export function templateWarnings(o: Workload): string[] {
  return podTemplateWarnings(o.spec?.template, templatePath);
}

/** What upstream warns of in a template, and in a name that is to be part of pods' host names. */
export function nameAndTemplateWarnings(o: Workload): string[] {
  return [...workloadNameWarnings(o.metadata?.name), ...templateWarnings(o)];
}
