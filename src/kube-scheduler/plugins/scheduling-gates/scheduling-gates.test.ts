import { expect, test } from "vitest";
import { testPod } from "../../framework/test-objects.ts";
import { schedulingGates } from "./scheduling-gates.ts";

test.each([
  { name: "no gates", gates: [], want: { code: "Success", reasons: [] } },
  {
    name: "two gates",
    gates: ["example.com/a", "b"],
    want: { code: "UnschedulableAndUnresolvable", reasons: ["waiting for scheduling gates: [example.com/a b]"] },
  },
])("$name", ({ gates, want }) => {
  expect(schedulingGates().preEnqueue(testPod("p", { schedulingGates: gates.map((name) => ({ name })) }))).toEqual(want);
});
