import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { type Observed, reconcile } from "./reconcile.ts";

const pod = (name: string, phase = "Running", more: Partial<Pod["metadata"]> = {}, nodeName?: string): Pod => ({
  metadata: { name, ...more },
  spec: { containers: [], ...(nodeName === undefined ? {} : { nodeName }) },
  status: { phase },
});

const cases: { name: string; observed: Observed; want: string[] }[] = [
  {
    name: "a pod on a node that is there stays",
    observed: { type: "pod", pod: pod("a", "Running", {}, "n"), nodeMissingForMs: undefined },
    want: [],
  },
  {
    name: "a missing node is given time",
    observed: { type: "pod", pod: pod("a", "Running", {}, "n"), nodeMissingForMs: 30_000 },
    want: ["requeue 10000"],
  },
  {
    name: "then its pods are failed and removed",
    observed: { type: "pod", pod: pod("a", "Running", {}, "n"), nodeMissingForMs: 40_000 },
    want: ["removeOrphan a failed"],
  },
  {
    name: "finished ones are only removed",
    observed: { type: "pod", pod: pod("a", "Succeeded", {}, "n"), nodeMissingForMs: 40_000 },
    want: ["removeOrphan a"],
  },
  {
    name: "a terminating pod that never had a node is removed",
    observed: { type: "pod", pod: pod("a", "Pending", { deletionTimestamp: "x" }), nodeMissingForMs: undefined },
    want: ["remove a"],
  },
  {
    name: "the oldest terminated pods beyond the threshold are removed",
    observed: {
      type: "terminated",
      threshold: 1,
      pods: [
        pod("new", "Failed", { creationTimestamp: "2029-01-02T00:00:00Z" }),
        pod("old", "Failed", { creationTimestamp: "2029-01-01T00:00:00Z" }),
      ],
    },
    want: ["remove old"],
  },
];

test.each(cases)("$name", ({ observed, want }) => {
  expect(
    reconcile(observed).map((action) => {
      if (action.type === "requeue") return `requeue ${action.afterMs}`;
      const failed = action.type === "removeOrphan" && action.markFailed ? " failed" : "";
      return `${action.type} ${action.pod.metadata.name}${failed}`;
    }),
  ).toEqual(want);
});
