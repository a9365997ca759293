import { expect, test } from "vitest";
import type { Pod, PodCondition } from "#api/generated/core/v1.ts";
import { type Clock, realClock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { testPod } from "./framework/test-objects.ts";
import { PodStatusWriter } from "./pod-status-writer.ts";

const NOW = "2030-01-01T00:00:00Z";
const BEFORE = "2029-01-01T00:00:00Z";
const clock: Clock = { ...realClock, now: () => Date.parse(NOW) };
const waiting: PodCondition = {
  type: "PodScheduled",
  status: "False",
  reason: "Unschedulable",
  message: "no room",
  observedGeneration: 2,
};

function writer(): { writer: PodStatusWriter; patches: unknown[] } {
  const patches: unknown[] = [];
  const client = { patch: async (...args: unknown[]) => void patches.push(args[4]) } as unknown as Client;
  return { writer: new PodStatusWriter({ client, clock }), patches };
}

function pod(conditions: readonly PodCondition[], nominatedNodeName?: string): Pod {
  const status = { phase: "Pending", conditions, ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }) };
  return { ...testPod("p", {}, { generation: 2 }), status };
}

interface Case {
  readonly name: string;
  readonly pod: Pod;
  readonly condition: Omit<PodCondition, "observedGeneration">;
  readonly nominated?: string;
  readonly want: object | undefined;
}

const { observedGeneration: _, ...condition } = waiting;
const order = (...types: string[]) => types.map((type) => ({ type }));
const cases: readonly Case[] = [
  {
    name: "a first condition",
    pod: pod([]),
    condition,
    want: {
      "$setElementOrder/conditions": order("PodScheduled"),
      conditions: [{ ...waiting, lastProbeTime: null, lastTransitionTime: NOW }],
    },
  },
  { name: "what is there already is not written", pod: pod([waiting]), condition, want: undefined },
  {
    name: "another message keeps the time of the transition",
    pod: pod([{ ...waiting, lastTransitionTime: BEFORE }]),
    condition: { ...condition, message: "still no room" },
    want: {
      "$setElementOrder/conditions": order("PodScheduled"),
      conditions: [{ ...waiting, message: "still no room", lastProbeTime: null, lastTransitionTime: BEFORE }],
    },
  },
  {
    name: "a condition of another type comes after those that are there",
    pod: pod([waiting]),
    condition: { type: "DisruptionTarget", status: "True" },
    want: {
      "$setElementOrder/conditions": order("PodScheduled", "DisruptionTarget"),
      conditions: [
        { type: "DisruptionTarget", status: "True", observedGeneration: 2, lastProbeTime: null, lastTransitionTime: NOW },
      ],
    },
  },
  {
    name: "a nomination alone",
    pod: pod([{ ...waiting, lastTransitionTime: BEFORE }]),
    condition,
    nominated: "n",
    want: {
      "$setElementOrder/conditions": order("PodScheduled"),
      conditions: [{ ...waiting, lastProbeTime: null, lastTransitionTime: BEFORE }],
      nominatedNodeName: "n",
    },
  },
  { name: "the same nomination", pod: pod([waiting], "n"), condition, nominated: "n", want: undefined },
  {
    name: "a nomination is taken back",
    pod: pod([{ ...waiting, lastTransitionTime: BEFORE }], "n"),
    condition,
    nominated: "",
    want: {
      "$setElementOrder/conditions": order("PodScheduled"),
      conditions: [{ ...waiting, lastProbeTime: null, lastTransitionTime: BEFORE }],
      nominatedNodeName: null,
    },
  },
];

test.each(cases)("$name", async ({ pod, condition, nominated, want }) => {
  const { writer: of, patches } = writer();
  await of.write(pod, condition, nominated);
  expect(patches).toEqual(want === undefined ? [] : [{ metadata: { uid: "p" }, status: want }]);
});

test("a nomination is cleared only where there is one", async () => {
  const { writer: of, patches } = writer();
  await of.clearNomination(pod([]));
  await of.clearNomination(pod([], "n"));
  expect(patches).toEqual([{ metadata: { uid: "p" }, status: { nominatedNodeName: null } }]);
});
