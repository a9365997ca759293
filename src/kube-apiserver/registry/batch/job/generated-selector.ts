import type { Job, JobSpec } from "#api/generated/batch/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { printedSelector } from "../../apps/workload/printed-selector.ts";

const LEGACY_UID_LABEL = "controller-uid";
const LEGACY_NAME_LABEL = "job-name";
const UID_LABEL = "batch.kubernetes.io/controller-uid";
const NAME_LABEL = "batch.kubernetes.io/job-name";
const metadataPath = FieldPath.of("spec", "template", "metadata");

/** Gives a Job's pods labels that no other Job's have, and a selector for them. */
export function generateSelector(job: Draft<Job>): void {
  job.spec ??= {} as Draft<JobSpec>;
  const { spec } = job;
  if (spec.manualSelector === true) return;
  const name = job.metadata?.name ?? "";
  const uid = job.metadata?.uid ?? "";
  spec.template ??= {};
  spec.template.metadata ??= {};
  const generated = { [LEGACY_NAME_LABEL]: name, [NAME_LABEL]: name, [LEGACY_UID_LABEL]: uid, [UID_LABEL]: uid };
  const labels = { ...generated, ...spec.template.metadata.labels };
  // Labels that were defaulted from the template stay those of the template.
  const isShared = job.metadata?.labels !== undefined && job.metadata.labels === spec.template.metadata.labels;
  if (job.metadata && isShared) job.metadata.labels = { ...labels };
  spec.template.metadata.labels = labels;
  spec.selector ??= {};
  spec.selector.matchLabels = { [UID_LABEL]: uid, ...spec.selector.matchLabels };
}

/** The labels must be those that would be generated. */
export function generatedSelectorErrors(job: Job): FieldError[] {
  const spec = job.spec;
  if (spec?.manualSelector === true || !spec?.selector) return [];
  const errors: FieldError[] = [];
  const name = job.metadata?.name ?? "";
  const uid = job.metadata?.uid ?? "";
  if (uid === "") errors.push(required(FieldPath.of("metadata", "uid"), ""));
  const expected: readonly (readonly [string, string])[] = [
    [LEGACY_UID_LABEL, uid],
    [LEGACY_NAME_LABEL, name],
    [UID_LABEL, uid],
    [NAME_LABEL, name],
  ];
  const labels: Readonly<Record<string, string>> = spec.template?.metadata?.labels ?? {};
  for (const [label, value] of expected) {
    const at = metadataPath.child("labels").key(label);
    const actual = labels[label];
    if (actual === undefined) errors.push(required(at, `must be '${value}'`));
    else if (actual !== value) {
      const sorted = Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
      errors.push(invalid(at, sorted, `must be '${value}'`));
    }
  }
  try {
    if (!labelSelectorFromObject(spec.selector).matches(Object.fromEntries(expected))) {
      errors.push(invalid(FieldPath.of("spec", "selector"), printedSelector(spec.selector), "`selector` not auto-generated"));
    }
  } catch {
    // A selector that does not parse is reported by the rules for selectors.
  }
  return errors;
}
