import type { JobSpec } from "#api/generated/batch/v1.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { podTemplateWarnings } from "../../core/pod/warnings.ts";

/** More than this, and the lists of completed and failed indexes may outgrow the Job's status (KEP-3850). */
const TRACKED_COMPLETIONS_MAX = 100_000;
const TRACKED_PARALLELISM_MAX = 10_000;

/** Warnings for the spec of a Job, or of a CronJob's template, at `path`. */
export function jobSpecWarnings(spec: JobSpec | undefined, path: FieldPath): string[] {
  const warnings: string[] = [];
  const isLarge = (spec?.completions ?? 0) > TRACKED_COMPLETIONS_MAX && (spec?.parallelism ?? 0) > TRACKED_PARALLELISM_MAX;
  if (spec?.completionMode === "Indexed" && isLarge) {
    const text =
      "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail";
    warnings.push(`${path}: ${text}`);
  }
  return [...warnings, ...podTemplateWarnings(spec?.template, path.child("template"))];
}
