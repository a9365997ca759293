import { expect, test } from "vitest";
import type { Job, JobSpec, JobStatus } from "#api/generated/batch/v1.ts";
import { validateJobStatus } from "./status-validation.ts";

const START = "2026-01-01T00:00:00Z";
const END = "2026-01-01T00:01:00Z";

function conditions(...types: string[]): NonNullable<JobStatus["conditions"]> {
  return types.map((type) => ({ type, status: "True" }));
}

const COMPLETE: JobStatus = {
  startTime: START,
  completionTime: END,
  succeeded: 1,
  conditions: conditions("SuccessCriteriaMet", "Complete"),
};

interface Case {
  readonly name: string;
  readonly spec?: Partial<JobSpec>;
  readonly before?: JobStatus;
  readonly now: JobStatus;
  readonly want: readonly string[];
}

test.each<Case>([
  { name: "a Job that completes", before: { startTime: START, active: 1 }, now: COMPLETE, want: [] },
  {
    name: "completion without its time, start and criteria",
    now: { conditions: conditions("Complete") },
    want: [
      "status.completionTime: Required value: completionTime is required for Complete jobs",
      "status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
      "status.startTime: Required value: startTime is required for finished job",
    ],
  },
  {
    name: "an end before the beginning",
    now: { ...COMPLETE, startTime: END, completionTime: START },
    want: [`status.completionTime: Invalid value: "${START}": completionTime cannot be set before startTime`],
  },
  {
    name: "more ready than active",
    now: { ready: 1 },
    want: ["status.ready: Invalid value: 1: cannot set more ready pods than active"],
  },
  {
    name: "a finished Job that is undone",
    before: COMPLETE,
    now: { startTime: START, succeeded: 1, conditions: conditions("SuccessCriteriaMet") },
    want: ["status.conditions: Invalid value: cannot disable the terminal Complete=True condition"],
  },
  {
    name: "counting backwards",
    before: { failed: 2, succeeded: 2 },
    now: { failed: 1, succeeded: 1 },
    want: [
      "status.failed: Invalid value: 1: cannot decrease the failed counter",
      "status.succeeded: Invalid value: 1: cannot decrease the succeeded counter",
    ],
  },
  {
    name: "shrinking with the parallelism",
    spec: { completionMode: "Indexed", completions: 1, parallelism: 1 },
    before: { succeeded: 2 },
    now: { succeeded: 1 },
    want: [],
  },
  {
    name: "indexes that are both completed and failed",
    spec: { completionMode: "Indexed", completions: 9, parallelism: 1, backoffLimitPerIndex: 1 },
    now: { completedIndexes: "0-2,5", failedIndexes: "3,4-6" },
    want: ['status.failedIndexes: Invalid value: "3,4-6": failedIndexes and completedIndexes overlap at index: 5'],
  },
  {
    name: "indexes beyond the last",
    spec: { completionMode: "Indexed", completions: 3, parallelism: 1 },
    now: { completedIndexes: "0-3" },
    want: ['status.completedIndexes: Invalid value: "0-3": error parsing completedIndexes: too large index: "3"'],
  },
  {
    name: "what was wrong before and is not touched",
    before: { ready: 2, active: 1 },
    now: { ready: 2, active: 1, failed: 1 },
    want: [],
  },
])("$name", ({ spec, before, now, want }) => {
  const job = (status: JobStatus): Job => ({ metadata: { name: "a" }, spec: { template: {}, ...spec }, status });
  expect(validateJobStatus(job(now), job(before ?? {})).map(({ field, message }) => `${field}: ${message}`)).toEqual(want);
});
