import { expect, test } from "vitest";
import type { Toleration } from "#api/generated/core/v1.ts";
import { reconcile } from "./reconcile.ts";

const NOW = 1_000_000;
const taints = [{ key: "k", value: "v", effect: "NoExecute" }];
const tolerates = (tolerationSeconds?: number): Toleration[] => [
  { key: "k", operator: "Exists", effect: "NoExecute", ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }) },
];

test.each([
  { name: "a pod without toleration goes at once", tolerations: [], want: ["evict"] },
  { name: "one that tolerates for ever stays", tolerations: tolerates(), want: [] },
  { name: "no time at all is none", tolerations: tolerates(0), want: ["evict"] },
  { name: "a while begins now", tolerations: tolerates(10), want: ["startTolerating", "requeue 10000"] },
  { name: "and goes on", tolerations: tolerates(10), sinceMs: NOW - 4_000, want: ["requeue 6000"] },
  { name: "and ends", tolerations: tolerates(10), sinceMs: NOW - 10_000, want: ["evict"] },
  { name: "without taints it is called off", tolerations: tolerates(10), sinceMs: NOW, taints: [], want: ["stopTolerating"] },
  { name: "other effects drive nobody away", tolerations: [], taints: [{ key: "k", effect: "NoSchedule" }], want: [] },
])("$name", ({ tolerations, sinceMs, taints: own = taints, want }) => {
  const actions = reconcile({
    pod: { metadata: { name: "p" }, spec: { containers: [], tolerations } },
    node: { metadata: { name: "n" }, spec: { taints: own } },
    toleratingSinceMs: sinceMs,
    nowMs: NOW,
  });
  expect(actions.map((action) => (action.type === "requeue" ? `requeue ${action.afterMs}` : action.type))).toEqual(want);
});
