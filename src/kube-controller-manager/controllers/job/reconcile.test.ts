import { expect, test } from "vitest";
import type { Job, JobSpec, JobStatus } from "#api/generated/batch/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { NO_BACKOFF } from "./backoff.ts";
import { conclude, settle } from "./conclude.ts";
import type { JobContext, ObservedJob } from "./job-context.ts";
import { COMPLETION_INDEX, INDEX_FAILURES, TRACKING_FINALIZER } from "./job-pods.ts";
import { newJobPod } from "./new-pods.ts";
import { type Action, reconcile } from "./reconcile.ts";

const NOW = Date.parse("2026-01-01T01:00:00Z");
const JUST_NOW = "2026-01-01T00:59:58Z";
const LONG_AGO = "2026-01-01T00:00:00Z";

function job(spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job {
  const template = { spec: { containers: [{ name: "c" }], restartPolicy: "Never" } };
  return {
    metadata: { name: "j", namespace: "ns", uid: "j" },
    spec: { parallelism: 2, completions: 3, backoffLimit: 6, template, ...spec },
    status,
  };
}

interface PodOptions {
  readonly index?: number;
  readonly going?: boolean;
  readonly exitCode?: number;
  readonly finishedAt?: string;
  readonly failures?: number;
}

let made = 0;
function pod(phase: string, { index, going = false, exitCode = 1, finishedAt = LONG_AGO, failures }: PodOptions = {}): Pod {
  const name = `j-${++made}`;
  const ended = phase === "Succeeded" || phase === "Failed";
  const state = ended ? { terminated: { exitCode: phase === "Failed" ? exitCode : 0, finishedAt } } : { running: {} };
  return {
    metadata: {
      name,
      namespace: "ns",
      uid: name,
      finalizers: [TRACKING_FINALIZER],
      creationTimestamp: LONG_AGO,
      annotations: {
        ...(index === undefined ? {} : { [COMPLETION_INDEX]: `${index}` }),
        ...(failures === undefined ? {} : { [INDEX_FAILURES]: `${failures}` }),
      },
      ...(going ? { deletionTimestamp: LONG_AGO } : {}),
    },
    spec: { containers: [{ name: "c" }] },
    status: { phase, containerStatuses: [{ name: "c", state, ready: false, restartCount: 0, image: "", imageID: "" }] },
  };
}

function observed(of: Job, pods: Pod[] = [], more: Partial<ObservedJob> = {}): ObservedJob {
  const rest = { adopt: [], release: [], mayManage: true, counted: new Set<string>(), backoff: NO_BACKOFF };
  return { type: "job", job: of, pods, nowMs: NOW, ...rest, ...more };
}

function contextOf(input: ObservedJob): { context: JobContext; action: Action & { type: "sync" } } {
  const action = (reconcile(input) as readonly Action[]).find(({ type }) => type === "sync");
  if (action?.type !== "sync") throw new Error("no sync");
  return { context: action.context, action };
}

/** What is done about pods, and how the Job ends. */
function told(input: ObservedJob): string {
  const { context, action } = contextOf(input);
  const { step } = action;
  const ends = context.finished === undefined ? [] : [`${context.finished.type} ${context.finished.reason}`];
  switch (step.type) {
    case "create":
      return [...ends, `create ${step.indexes.map((index) => index ?? "-").join(" ")}`].join(", ");
    case "delete":
      return [...ends, ...(step.pods.length > 0 ? [`delete ${step.pods.length}`] : [])].join(", ");
    case "wait":
      return [...ends, `wait ${step.afterMs / 1000}`].join(", ");
    default:
      return ends.join(", ");
  }
}

const indexed = (spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job => job({ completionMode: "Indexed", ...spec }, status);
const rule = (action: string, values: number[]) => ({ action, onExitCodes: { operator: "In", values } });

test.each<[string, ObservedJob, string]>([
  ["as many pods as may run are made", observed(job()), "create - -"],
  ["no more than are missing", observed(job({ parallelism: 5 }, { succeeded: 2 })), "create -"],
  ["none while earlier ones do not show", observed(job(), [], { mayManage: false }), ""],
  ["too many go", observed(job({ parallelism: 1 }), [pod("Running"), pod("Running")]), "delete 1"],
  ["a suspended one has none", observed(job({ suspend: true }), [pod("Running")]), "delete 1"],
  [
    "a work queue runs until one succeeds",
    observed(job({ completions: undefined as never }), [pod("Succeeded"), pod("Running")]),
    "",
  ],
  ["after a failure it waits", observed(job({ parallelism: 1 }), [pod("Failed", { finishedAt: JUST_NOW })]), "wait 8"],
  ["not for ever", observed(job({ parallelism: 1 }), [pod("Failed")]), "create -"],
  ["a going pod is replaced at once", observed(job({ parallelism: 1 }), [pod("Running", { going: true })]), "create -"],
  [
    "or when it has ended",
    observed(job({ parallelism: 1, podReplacementPolicy: "Failed" }), [pod("Running", { going: true })]),
    "",
  ],
  ["each index is to succeed once", observed(indexed({}, { completedIndexes: "0" })), "create 1 2"],
  ["one that runs is not made again", observed(indexed(), [pod("Running", { index: 0 })]), "create 1"],
  [
    "of two with one index one goes",
    observed(indexed(), [pod("Running", { index: 0 }), pod("Running", { index: 0 })]),
    "delete 1",
  ],
  [
    "too many failures end it",
    observed(job({ backoffLimit: 0 }), [pod("Failed"), pod("Running")]),
    "FailureTarget BackoffLimitExceeded, delete 1",
  ],
  ["so does time", observed(job({ activeDeadlineSeconds: 60 }, { startTime: LONG_AGO })), "FailureTarget DeadlineExceeded"],
  [
    "an ignored failure does not count",
    observed(job({ backoffLimit: 0, podFailurePolicy: { rules: [rule("Ignore", [42])] } }), [pod("Failed", { exitCode: 42 })]),
    "create - -",
  ],
  [
    "a fatal one ends it",
    observed(job({ podFailurePolicy: { rules: [rule("FailJob", [42])] } }), [pod("Failed", { exitCode: 42 })]),
    "FailureTarget PodFailurePolicy",
  ],
  [
    "an index has failures of its own",
    observed(indexed({ completions: 2, backoffLimitPerIndex: 1 }), [pod("Failed", { index: 0, failures: 1 })]),
    "create 1",
  ],
  [
    "indexes that failed end it when nothing else is left",
    observed(indexed({ completions: 1, backoffLimitPerIndex: 0 }), [pod("Failed", { index: 0, failures: 0 })]),
    "FailureTarget FailedIndexes",
  ],
  [
    "more of them than may be end it at once",
    observed(indexed({ backoffLimitPerIndex: 0, maxFailedIndexes: 0 }), [pod("Failed", { index: 0, failures: 0 })]),
    "FailureTarget MaxFailedIndexesExceeded",
  ],
  [
    "some successes may be enough",
    observed(indexed({ successPolicy: { rules: [{ succeededIndexes: "0" }] } }, { completedIndexes: "0" }), [
      pod("Running", { index: 1 }),
    ]),
    "SuccessCriteriaMet SuccessPolicy, delete 1",
  ],
])("%s", (_name, input, want) => {
  expect(told(input)).toBe(want);
});

test("a finished Job is left alone, and nobody's pods are taken over first", () => {
  expect(reconcile(observed(job({}, { conditions: [{ type: "Complete", status: "True" }] })))).toEqual([]);
  expect(reconcile(observed(job(), [], { adopt: [pod("Running")] })).map(({ type }) => type)).toEqual(["claim"]);
});

test("pods are counted once their finalizers are gone, then the Job is complete", () => {
  const ended = [pod("Succeeded"), pod("Succeeded"), pod("Succeeded")];
  const { context } = contextOf(observed(job({}, { active: 3, startTime: LONG_AGO }), ended));
  const { status, flush, removeFinalizers, finish } = conclude(context, {
    created: 0,
    deleted: 0,
    deletedReady: 0,
    managed: true,
  });
  const uids = ended.map(({ metadata }) => metadata.uid);
  expect([flush, status.uncountedTerminatedPods, status.succeeded]).toEqual([true, { succeeded: uids }, undefined]);
  expect(removeFinalizers).toEqual(ended);
  expect(status.conditions?.map(({ type }) => type)).toEqual(["SuccessCriteriaMet"]);
  const final = structuredClone(status) as Draft<JobStatus>;
  // Two are gone, one is not: not complete yet.
  settle(final, new Set([uids[2] ?? ""]), undefined);
  expect([final.succeeded, final.uncountedTerminatedPods]).toEqual([2, { succeeded: [uids[2]] }]);
  settle(final, new Set(), finish);
  expect(final.succeeded).toBe(3);
  expect(final.conditions?.map(({ type, reason }) => [type, reason])).toEqual([
    ["SuccessCriteriaMet", "CompletionsReached"],
    ["Complete", "CompletionsReached"],
  ]);
  expect(final.completionTime).toBe("2026-01-01T01:00:00Z");
});

test("a pod of an index carries it, and the failures of the one that it replaces", () => {
  const made = newJobPod(indexed({ backoffLimitPerIndex: 3 }), 1, pod("Failed", { index: 1, failures: 1 }));
  expect(made.metadata).toMatchObject({
    generateName: "j-1-",
    labels: { [COMPLETION_INDEX]: "1" },
    annotations: { [COMPLETION_INDEX]: "1", [INDEX_FAILURES]: "2" },
    finalizers: [TRACKING_FINALIZER],
  });
  expect(made.spec.hostname).toBe("j-1");
  expect(made.spec.containers?.[0]?.env?.[0]?.name).toBe("JOB_COMPLETION_INDEX");
});
