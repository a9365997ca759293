import { expect, test } from "vitest";
import type { Job } from "#api/generated/batch/v1.ts";
import { reconcile } from "./reconcile.ts";

const NOW = Date.parse("2030-01-01T00:00:00Z");
const job = (ttlSecondsAfterFinished: number | undefined, ended: string | undefined): Job => ({
  metadata: { name: "j" },
  spec: { template: {}, ...(ttlSecondsAfterFinished === undefined ? {} : { ttlSecondsAfterFinished }) },
  status: { conditions: ended === undefined ? [] : [{ type: "Failed", status: "True", lastTransitionTime: ended }] },
});

test.each([
  { name: "a job that does not ask stays", ttl: undefined, ended: "2029-01-01T00:00:00Z", want: [] },
  { name: "one that runs stays", ttl: 0, ended: undefined, want: [] },
  { name: "one whose time is not up is looked at then", ttl: 10, ended: "2029-12-31T23:59:56Z", want: ["requeue 6000"] },
  { name: "one whose time is up goes", ttl: 4, ended: "2029-12-31T23:59:56Z", want: ["delete"] },
])("$name", ({ ttl, ended, want }) => {
  const actions = reconcile({ job: job(ttl, ended), nowMs: NOW });
  expect(actions.map((action) => (action.type === "requeue" ? `requeue ${action.afterMs}` : action.type))).toEqual(want);
});
