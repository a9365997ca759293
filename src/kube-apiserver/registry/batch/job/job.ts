import type { Job, JobSpec } from "#api/generated/batch/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { humanDuration } from "#apimachinery/meta/human-duration.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { formatSelector, templateColumns } from "../../apps/workload/template-columns.ts";
import { columnsOf } from "../../columns.ts";
import { setPodTemplateDefaults } from "../../core/pod/defaults.ts";
import { dropDisabledPodFields } from "../../core/pod/disabled-fields.ts";
import { workloadNameWarnings } from "../../core/pod/warnings.ts";
import { generateSelector } from "./generated-selector.ts";
import { validateJobStatus } from "./status-validation.ts";
import { validateJob, validateJobUpdate } from "./validation.ts";
import { jobSpecWarnings } from "./warnings.ts";

const specPath = FieldPath.of("spec");
const column = columnsOf<Job>("batch/jobs");
const WIDE = { priority: 1 };
const INT32_MAX = 2147483647;
const ORPHANS =
  "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";

/** Pods that run until enough of them have succeeded. */
export function jobs(): ResourceDefinition<Job> {
  return {
    group: "batch",
    version: "v1",
    kind: "Job",
    plural: "jobs",
    singular: "job",
    categories: ["all"],
    scope: "Namespaced",
    storagePrefix: "jobs",
    columns: [
      nameColumn,
      column("Status", "string", jobState),
      column("Completions", "string", completions),
      column("Duration", "string", duration),
      ageColumn,
      ...templateColumns(column, (o) => o.spec?.template),
      column("Selector", "string", (o) => formatSelector(o.spec?.selector), WIDE),
    ],
    unknownFieldSelector: (field) => `field label ${goQuote(field)} not supported for batchv1.Job`,
    selectableFields: { "status.successful": (o) => String(o.status?.succeeded ?? 0) },
    strategy: {
      setDefaults,
      prepareForCreate: (o) => {
        generateSelector(o);
        if (o.spec?.template?.spec) dropDisabledPodFields(o.spec.template.spec, undefined);
      },
      validate: (o) => validateJob(o),
      // Upstream sets defaults once more when it reads back what it stored, and then the pods have labels.
      beginCreate: async (o) => {
        setLabelDefaults(o);
        return {};
      },
      prepareForUpdate: (o, old) => {
        if (o.spec?.template?.spec) dropDisabledPodFields(o.spec.template.spec, old.spec?.template?.spec);
      },
      validateUpdate: (o, old) => validateJobUpdate(o, old),
      warningsOnCreate: (o) => [...workloadNameWarnings(o.metadata?.name), ...jobSpecWarnings(o.spec, specPath)],
      warningsOnUpdate: (o, old) =>
        o.metadata?.generation === old.metadata?.generation ? [] : jobSpecWarnings(o.spec, specPath),
      generationChanges: (o, old) => !semanticEqual(o.spec, old.spec),
      defaultPropagation: "Orphan",
      warningsOnDelete: (options) =>
        options.propagationPolicy === undefined && options.orphanDependents === undefined ? [ORPHANS] : [],
    },
    subresources: { status: { type: "status", validateUpdate: (o, old) => validateJobStatus(o, old) } },
  };
}

function setDefaults(o: Draft<Job>): void {
  o.spec ??= {} as Draft<JobSpec>;
  const { spec } = o;
  if (spec.completions === undefined && spec.parallelism === undefined) {
    spec.completions = 1;
    spec.parallelism = 1;
  }
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : INT32_MAX;
  setLabelDefaults(o);
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  setPodFailurePolicyDefaults(spec);
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed";
  spec.manualSelector ??= false;
  spec.template ??= {};
  setPodTemplateDefaults(spec.template);
}

/** A Job without labels has those of its pods: the same map, not a copy, as `generateSelector` adds to it. */
function setLabelDefaults(o: Draft<Job>): void {
  const labels = o.spec?.template?.metadata?.labels;
  o.metadata ??= {};
  if (labels && Object.keys(o.metadata.labels ?? {}).length === 0) o.metadata.labels = labels;
}

/** Conditions match when they are true, unless said otherwise. */
export function setPodFailurePolicyDefaults(spec: Draft<JobSpec>): void {
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  }
}

function jobState(job: Job): string {
  const has = (type: string): boolean =>
    (job.status?.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
  if (has("Complete")) return "Complete";
  if (has("Failed")) return "Failed";
  if (job.metadata?.deletionTimestamp) return "Terminating";
  for (const type of ["Suspended", "FailureTarget", "SuccessCriteriaMet"]) if (has(type)) return type;
  return "Running";
}

function completions(job: Job): string {
  const succeeded = job.status?.succeeded ?? 0;
  const wanted = job.spec?.completions;
  if (wanted !== undefined) return `${succeeded}/${wanted}`;
  const parallelism = job.spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function duration(job: Job, now: number): string {
  const start = parseTime(job.status?.startTime);
  if (start === undefined) return "";
  return humanDuration((parseTime(job.status?.completionTime) ?? now) - start);
}
