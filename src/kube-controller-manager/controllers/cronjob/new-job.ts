import type { CronJob, Job } from "#api/generated/batch/v1.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { formatTimeInZone } from "#component-helpers/cron/time-zone.ts";
import { controllerReference } from "#component-helpers/pod/owner.ts";

const SCHEDULED_TIMESTAMP = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/** The Job's name for a due time: always the same, so that none starts twice. */
export function jobName({ metadata }: CronJob, dueMs: number): string {
  return `${metadata.name ?? ""}-${Math.floor(dueMs / 60_000)}`;
}

/** The Job for a due time. */
export function newJob(cronJob: CronJob, dueMs: number): Job {
  const { metadata: template, spec } = cronJob.spec.jobTemplate;
  const annotations = {
    ...template?.annotations,
    [SCHEDULED_TIMESTAMP]: formatTimeInZone(cronJob.spec.timeZone ?? "UTC", dueMs),
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: jobName(cronJob, dueMs),
      namespace: cronJob.metadata.namespace ?? "",
      ...(template?.labels === undefined ? {} : { labels: { ...template.labels } }),
      annotations,
      ownerReferences: [controllerReference("batch/v1", "CronJob", cronJob)],
    },
    spec: deepCopy(spec) as NonNullable<typeof spec>,
  };
}
