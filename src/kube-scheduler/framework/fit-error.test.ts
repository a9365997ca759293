import { expect, test } from "vitest";
import { fitErrorMessage } from "./fit-error.ts";
import { unresolvable, unschedulable } from "./status.ts";

const TAINT = unresolvable("node(s) had untolerated taint(s)");

test.each([
  {
    name: "reasons are counted and in the order of the whole text",
    diagnosis: {
      nodeCount: 13,
      nodeStatuses: new Map([
        ...Array.from({ length: 11 }, (_, i) => [`t${i}`, TAINT] as const),
        ["b", unschedulable("Insufficient memory", "Insufficient cpu")],
        ["c", unschedulable("Insufficient cpu")],
      ]),
      rejectors: new Set<string>(),
      postFilterMessage: "no new claims to deallocate, preemption: x",
    },
    want: "0/13 nodes are available: 1 Insufficient memory, 11 node(s) had untolerated taint(s), 2 Insufficient cpu. no new claims to deallocate, preemption: x",
  },
  {
    name: "nodes that were not looked at",
    diagnosis: {
      nodeCount: 3,
      nodeStatuses: new Map([["a", TAINT]]),
      absentNodesStatus: unresolvable("node(s) didn't satisfy plugin(s) [NodeAffinity]"),
      rejectors: new Set<string>(),
    },
    want: "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't satisfy plugin(s) [NodeAffinity].",
  },
  {
    name: "a pod rejected whatever the node",
    diagnosis: {
      nodeCount: 3,
      nodeStatuses: new Map(),
      preFilterMessage: "pod affinity terms conflict",
      rejectors: new Set<string>(),
    },
    want: "0/3 nodes are available: pod affinity terms conflict.",
  },
])("$name", ({ diagnosis, want }) => {
  expect(fitErrorMessage(diagnosis)).toBe(want);
});
