import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import type { ContainerStatus } from "#cri/container.ts";
import { ContainerTimeline } from "./container-times.ts";

const HOUR = 3_600_000;
const START = 1_700_000_000_000;
const status = (id: string, startedAtMs?: number, finishedAtMs?: number): ContainerStatus =>
  ({ id, startedAtMs, finishedAtMs }) as ContainerStatus;

test("how long ago something was is worked out once, whatever the clock is set to", () => {
  const clock = new ManualClock();
  clock.step(START);
  const timeline = new ContainerTimeline(clock);
  clock.advance(60_000);
  const started = START + 50_000;
  expect(timeline.of([status("a", started)]).get("a")).toEqual({ startedAtMs: 50_000, finishedAtMs: undefined });
  clock.step(-HOUR);
  clock.advance(10_000);
  expect(timeline.of([status("a", started)]).get("a")?.startedAtMs).toBe(50_000);
  // It ends by the clock as it is set now, and began, as it seems, afterwards.
  const ended = clock.now() - 2000;
  expect(timeline.of([status("a", started, ended)]).get("a")).toEqual({ startedAtMs: 50_000, finishedAtMs: 68_000 });
  clock.step(2 * HOUR);
  expect(timeline.of([status("a", started, ended)]).get("a")).toEqual({ startedAtMs: 50_000, finishedAtMs: 68_000 });
});

test("what seems to be still to come has just been, and what is gone is forgotten", () => {
  const clock = new ManualClock(70_000);
  const timeline = new ContainerTimeline(clock);
  expect(timeline.of([status("b", 70_000 + HOUR)]).get("b")?.startedAtMs).toBe(70_000);
  clock.advance(5000);
  expect([...timeline.of([])]).toEqual([]);
  expect(timeline.of([status("b", 75_000)]).get("b")?.startedAtMs).toBe(75_000);
  expect(timeline.of([status("c")]).get("c")).toEqual({ startedAtMs: undefined, finishedAtMs: undefined });
});
