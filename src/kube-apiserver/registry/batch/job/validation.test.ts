import { expect, test } from "vitest";
import type { Job, JobSpec } from "#api/generated/batch/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { generateSelector } from "./generated-selector.ts";
import { validateJob, validateJobUpdate } from "./validation.ts";

function job(spec: Partial<JobSpec> = {}): Job {
  const made: Job = {
    metadata: { name: "a", uid: "u" },
    spec: {
      completions: 2,
      parallelism: 1,
      completionMode: "NonIndexed",
      template: {
        spec: {
          containers: [{ name: "c", image: "i", imagePullPolicy: "Always", terminationMessagePolicy: "File" }],
          restartPolicy: "Never",
          dnsPolicy: "Default",
          terminationGracePeriodSeconds: 30,
        },
      },
      ...spec,
    },
  };
  const draft = deepCopy(made);
  generateSelector(draft);
  return draft as Job;
}

test("a Job with its generated selector is valid", () => {
  expect(validateJob(job())).toEqual([]);
});

test("an update looks at the whole spec twice", () => {
  const errors = validateJobUpdate(job({ parallelism: -1 }), job());
  expect(errors.map(({ field }) => field)).toEqual(["spec.parallelism", "spec.parallelism"]);
});

test.each<{ name: string; spec: Partial<JobSpec>; fields: string[] }>([
  { name: "completions of a Job without indexes", spec: { completions: 3 }, fields: ["spec.completions"] },
  { name: "the backoff limit", spec: { backoffLimit: 3 }, fields: [] },
  { name: "the manager", spec: { managedBy: "example.com/x" }, fields: ["spec.managedBy"] },
])("$name: immutable where it should be", ({ spec, fields }) => {
  expect(validateJobUpdate(job(spec), job()).map(({ field }) => field)).toEqual(fields);
});

test("labels that were the template's get what is generated for it", () => {
  const labels = { app: "x" };
  const shared: Draft<Job> = { metadata: { name: "a", uid: "u", labels }, spec: { template: { metadata: { labels } } } };
  generateSelector(shared);
  expect(shared.metadata.labels).toEqual(shared.spec?.template?.metadata?.labels);
  const own: Draft<Job> = { metadata: { name: "a", uid: "u", labels: { mine: "y" } }, spec: { template: {} } };
  generateSelector(own);
  expect(own.metadata.labels).toEqual({ mine: "y" });
});
