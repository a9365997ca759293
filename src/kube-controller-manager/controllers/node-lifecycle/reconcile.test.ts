import { expect, test } from "vitest";
import type { Node } from "#api/generated/core/v1.ts";
import { type Observed, reconcile } from "./reconcile.ts";

const NOW = Date.parse("2030-01-01T00:00:00Z");
const node = (conditions: Record<string, string>, spec: Node["spec"] = {}): Node => ({
  metadata: { name: "n", creationTimestamp: "2029-01-01T00:00:00Z" },
  spec,
  status: { conditions: Object.entries(conditions).map(([type, status]) => ({ type, status })) },
});
const taint = (key: string, effect: string) => ({ key: `node.kubernetes.io/${key}`, effect });

const cases: { name: string; observed: Partial<Observed> & { node: Node }; want: unknown[] }[] = [
  { name: "a ready node needs nothing but another look", observed: { node: node({ Ready: "True" }) }, want: ["requeue 50000"] },
  {
    name: "a new node is registered",
    observed: { node: node({ Ready: "True" }), isNew: true },
    want: ["register", "requeue 50000"],
  },
  {
    name: "conditions become taints",
    observed: { node: node({ Ready: "True", MemoryPressure: "True", DiskPressure: "False" }) },
    want: ["requeue 50000", ["memory-pressure:NoSchedule"]],
  },
  {
    name: "a node that is not ready drives pods away",
    observed: { node: node({ Ready: "False" }) },
    want: ["requeue 50000", ["not-ready:NoSchedule", "not-ready:NoExecute"]],
  },
  {
    name: "but not when no node of the cluster is ready",
    observed: { node: node({ Ready: "Unknown" }), evictionsStopped: true },
    want: ["requeue 50000", ["unreachable:NoSchedule"]],
  },
  {
    name: "taints go with their reason, others stay",
    observed: {
      node: node(
        { Ready: "True" },
        { taints: [taint("not-ready", "NoExecute"), taint("unreachable", "NoSchedule"), { key: "x", effect: "NoExecute" }] },
      ),
    },
    want: ["requeue 50000", ["x:NoExecute"]],
  },
  {
    name: "an unschedulable node is tainted",
    observed: { node: node({ Ready: "True" }, { unschedulable: true }) },
    want: ["requeue 50000", ["unschedulable:NoSchedule"]],
  },
  {
    name: "a silent node's conditions become unknown",
    observed: { node: node({ Ready: "True", MemoryPressure: "False" }), silentForMs: 50_000 },
    want: [
      [
        "Ready Unknown NodeStatusUnknown",
        "MemoryPressure Unknown NodeStatusUnknown",
        "DiskPressure Unknown NodeStatusNeverUpdated",
        "PIDPressure Unknown NodeStatusNeverUpdated",
      ],
    ],
  },
  { name: "a node that never spoke has longer", observed: { node: node({}), silentForMs: 55_000 }, want: ["requeue 5000"] },
];

test.each(cases)("$name", ({ observed, want }) => {
  const actions = reconcile({
    isNew: false,
    silentForMs: 0,
    monitorGracePeriodMs: 50_000,
    startupGracePeriodMs: 60_000,
    evictionsStopped: false,
    podsToMark: [],
    nowMs: NOW,
    ...observed,
  });
  expect(
    actions.map((action) => {
      switch (action.type) {
        case "requeue":
          return `requeue ${action.afterMs}`;
        case "updateTaints":
          return action.taints.map(({ key, effect }) => `${key.replace("node.kubernetes.io/", "")}:${effect}`);
        case "updateConditions":
          return action.conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
        default:
          return action.type;
      }
    }),
  ).toEqual(want);
});
