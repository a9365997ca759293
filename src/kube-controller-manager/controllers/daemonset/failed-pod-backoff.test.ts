import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { FailedPodBackoff } from "./failed-pod-backoff.ts";

test("each time that a node's pod fails it is waited twice as long, up to a quarter of an hour", () => {
  const clock = new ManualClock();
  const backoff = new FailedPodBackoff(clock);
  const left = (node: string): number | undefined => backoff.remaining("set").get(node);
  const waits: (number | undefined)[] = [];
  for (let i = 0; i < 12; i++) {
    backoff.failed("set", "a");
    waits.push(left("a"));
    clock.advance(left("a") ?? 0);
    expect(left("a")).toBe(0);
  }
  expect(waits.map((ms) => (ms ?? 0) / 1000)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  clock.advance(1_800_001);
  backoff.failed("set", "a");
  expect([left("a"), left("b")]).toEqual([1000, 0]);
  backoff.forget("set");
  expect(left("a")).toBe(0);
});

test("nodes that have not failed for half an hour are not remembered", () => {
  const clock = new ManualClock();
  const backoff = new FailedPodBackoff(clock);
  for (const node of ["a", "b", "c", "a"]) {
    backoff.failed("set", node);
    clock.advance(700_000);
  }
  expect(backoff.size("set")).toBe(3);
  backoff.failed("set", "d");
  expect(backoff.size("set")).toBe(3);
  expect(backoff.remaining("set").get("d")).toBe(1000);
});
