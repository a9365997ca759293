import type { CronJob, CronJobSpec } from "#api/generated/batch/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { timeSince } from "#apimachinery/meta/human-duration.ts";
import { type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength } from "#apimachinery/validation/names.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { formatSelector, templateColumns } from "../../apps/workload/template-columns.ts";
import { columnsOf } from "../../columns.ts";
import { setPodTemplateDefaults } from "../../core/pod/defaults.ts";
import { dropDisabledPodFields } from "../../core/pod/disabled-fields.ts";
import { nonNegativeErrors } from "../../core/pod/validation/field-checks.ts";
import { TEMPLATE_OPTIONS } from "../../core/pod/validation/options.ts";
import { templateOptionsFor } from "../../core/pod/validation/options-for.ts";
import { workloadNameWarnings } from "../../core/pod/warnings.ts";
import { setPodFailurePolicyDefaults } from "../job/job.ts";
import { commonJobSpecErrors } from "../job/validation.ts";
import { jobSpecWarnings } from "../job/warnings.ts";
import { scheduleProblem } from "./schedule.ts";
import { isTimeZone } from "./time-zone.ts";

const specPath = FieldPath.of("spec");
const jobSpecPath = FieldPath.of("spec", "jobTemplate", "spec");
const column = columnsOf<CronJob>("batch/cronjobs");
const WIDE = { priority: 1 };
/** Jobs' names get eleven characters more. */
const NAME_BYTES_MAX = 52;
const CONCURRENCY_POLICIES = ["Allow", "Forbid", "Replace"];

/** Jobs that are started by the clock. */
export function cronJobs(): ResourceDefinition<CronJob> {
  return {
    group: "batch",
    version: "v1",
    kind: "CronJob",
    plural: "cronjobs",
    singular: "cronjob",
    shortNames: ["cj"],
    categories: ["all"],
    scope: "Namespaced",
    storagePrefix: "cronjobs",
    columns: [
      nameColumn,
      column("Schedule", "string", (o) => o.spec?.schedule ?? ""),
      column("Timezone", "string", (o) => o.spec?.timeZone ?? "<none>"),
      column("Suspend", "boolean", suspendCell),
      column("Active", "integer", (o) => (o.status?.active ?? []).length),
      column("Last Schedule", "string", lastScheduleCell),
      ageColumn,
      ...templateColumns(column, (o) => o.spec?.jobTemplate?.spec?.template),
      column("Selector", "string", (o) => formatSelector(o.spec?.jobTemplate?.spec?.selector), WIDE),
    ],
    strategy: {
      setDefaults,
      prepareForCreate: (o) => {
        const pod = o.spec?.jobTemplate?.spec?.template?.spec;
        if (pod) dropDisabledPodFields(pod, undefined);
      },
      validate: (o) => validate(o, undefined),
      prepareForUpdate: (o, old) => {
        const pod = o.spec?.jobTemplate?.spec?.template?.spec;
        if (pod) dropDisabledPodFields(pod, old.spec?.jobTemplate?.spec?.template?.spec);
      },
      validateUpdate: (o, old) => validate(o, old),
      warningsOnCreate: (o) => [
        ...workloadNameWarnings(o.metadata?.name),
        ...jobSpecWarnings(o.spec?.jobTemplate?.spec, jobSpecPath),
      ],
      warningsOnUpdate: updateWarnings,
      generationChanges: (o, old) => !semanticEqual(o.spec, old.spec),
    },
    subresources: { status: { type: "status" } },
  };
}

function suspendCell(cronJob: CronJob): string {
  const suspend = cronJob.spec?.suspend;
  if (suspend === undefined || suspend === null) return "<unset>";
  return suspend ? "True" : "False";
}

function lastScheduleCell(cronJob: CronJob, now: number): string {
  const last = cronJob.status?.lastScheduleTime;
  return last ? timeSince(last, now) : "<none>";
}

function setDefaults(o: Draft<CronJob>): void {
  o.spec ??= {} as Draft<CronJobSpec>;
  const { spec } = o;
  spec.concurrencyPolicy ||= "Allow";
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
  spec.jobTemplate ??= {};
  spec.jobTemplate.spec ??= { template: {} };
  setPodFailurePolicyDefaults(spec.jobTemplate.spec);
  spec.jobTemplate.spec.template ??= {};
  setPodTemplateDefaults(spec.jobTemplate.spec.template);
}

/** Upstream tells of zones in the schedule only on updates: a new CronJob may not have any. */
function updateWarnings(cronJob: CronJob, old: CronJob): string[] {
  const found =
    cronJob.metadata?.generation === old.metadata?.generation
      ? []
      : jobSpecWarnings(cronJob.spec?.jobTemplate?.spec, jobSpecPath);
  if (cronJob.spec?.schedule?.includes("TZ")) {
    found.push(
      "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details",
    );
  }
  return found;
}

function validate(cronJob: CronJob, old: CronJob | undefined): FieldError[] {
  const spec = cronJob.spec ?? { schedule: "", jobTemplate: {} };
  const errors: FieldError[] = [];
  const schedule = spec.schedule ?? "";
  if (schedule === "") errors.push(required(specPath.child("schedule"), ""));
  else errors.push(...scheduleErrors(spec, old?.spec?.schedule?.includes("TZ") === true));
  errors.push(...nonNegativeErrors(spec.startingDeadlineSeconds, specPath.child("startingDeadlineSeconds")));
  if (!old || old.spec?.timeZone !== spec.timeZone) errors.push(...timeZoneErrors(spec.timeZone));
  const policy = spec.concurrencyPolicy ?? "";
  const policyPath = specPath.child("concurrencyPolicy");
  if (policy === "") errors.push(required(policyPath, ""));
  else if (!CONCURRENCY_POLICIES.includes(policy)) errors.push(notSupported(policyPath, policy, CONCURRENCY_POLICIES));
  errors.push(...jobTemplateErrors(spec, old));
  for (const field of ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] as const) {
    errors.push(...nonNegativeErrors(spec[field], specPath.child(field)));
  }
  const name = cronJob.metadata?.name ?? "";
  if (!old && byteLength(name) > NAME_BYTES_MAX) {
    errors.push(invalid(FieldPath.of("metadata", "name"), name, `must be no more than ${NAME_BYTES_MAX} characters`));
  }
  return errors;
}

/** Time zones within the schedule are only for objects that had them before there was a field for it. */
function scheduleErrors(spec: CronJobSpec, mayHaveZone: boolean): FieldError[] {
  const path = specPath.child("schedule");
  const problem = scheduleProblem(spec.schedule, isTimeZone);
  const errors = problem === undefined ? [] : [invalid(path, spec.schedule, problem)];
  if (!spec.schedule.includes("TZ")) return errors;
  if (!mayHaveZone) {
    errors.push(invalid(path, spec.schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
  } else if (spec.timeZone !== undefined) {
    errors.push(invalid(path, spec.schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
  }
  return errors;
}

function timeZoneErrors(zone: string | undefined): FieldError[] {
  if (zone === undefined || zone === null) return [];
  const path = specPath.child("timeZone");
  if (zone === "") return [invalid(path, zone, "timeZone must be nil or non-empty string")];
  if (zone.toLowerCase() === "local") {
    const detail = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
    return [invalid(path, zone, detail)];
  }
  return isTimeZone(zone) ? [] : [invalid(path, zone, `unknown time zone ${zone}`)];
}

function jobTemplateErrors(spec: CronJobSpec, old: CronJob | undefined): FieldError[] {
  const job = spec.jobTemplate?.spec ?? { template: {} };
  const path = specPath.child("jobTemplate", "spec");
  const options = old ? templateOptionsFor(old.spec?.jobTemplate?.spec?.template?.spec) : TEMPLATE_OPTIONS;
  const errors = commonJobSpecErrors(job, path, options);
  if (job.selector) errors.push(invalid(path.child("selector"), job.selector, "`selector` will be auto-generated"));
  if (job.manualSelector === true) errors.push(notSupported(path.child("manualSelector"), true, ["nil", "false"]));
  return errors;
}
