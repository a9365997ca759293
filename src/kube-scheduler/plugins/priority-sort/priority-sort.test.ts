import { expect, test } from "vitest";
import { podInfo } from "../../framework/pod-info.ts";
import { testPod } from "../../framework/test-objects.ts";
import { prioritySort } from "./priority-sort.ts";

const queued = (priority: number | undefined, timestamp: number) => ({
  info: podInfo(testPod("p", priority === undefined ? {} : { priority })),
  timestamp,
});

test.each([
  { name: "higher priority", a: queued(10, 2), b: queued(5, 1), want: true },
  { name: "lower priority", a: queued(5, 1), b: queued(10, 2), want: false },
  { name: "no priority is zero", a: queued(undefined, 2), b: queued(-1, 1), want: true },
  { name: "equal priority, earlier", a: queued(5, 1), b: queued(5, 2), want: true },
  { name: "equal priority, later", a: queued(5, 2), b: queued(5, 1), want: false },
])("$name", ({ a, b, want }) => {
  expect(prioritySort().less(a, b)).toBe(want);
});
