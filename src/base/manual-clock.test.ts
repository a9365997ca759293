import { expect, test } from "vitest";
import { ManualClock } from "./manual-clock.ts";

test("timers fire when they are due, in order, at their own time", () => {
  const clock = new ManualClock(100);
  const fired: string[] = [];
  const note = (name: string) => () => void fired.push(`${name}@${clock.now()}`);
  clock.setTimeout(note("late"), 30);
  clock.setTimeout(note("early"), 10);
  clock.setTimeout(note("early too"), 10);
  clock.setTimeout(note("cleared"), 5).clear();
  clock.setTimeout(() => clock.setTimeout(note("nested"), 5), 10);
  const interval = clock.setInterval(note("tick"), 20);
  clock.advance(40);
  interval.clear();
  expect(fired).toEqual(["early@110", "early too@110", "nested@115", "tick@120", "late@130", "tick@140"]);
  expect([clock.now(), clock.pending]).toEqual([140, 0]);
});

test("who sleeps wakes in time, or when it is told to", async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const slept = clock.sleep(10);
  const stopped = clock.sleep(10_000, stop.signal);
  clock.advance(10);
  await slept;
  stop.abort(new Error("enough"));
  await expect(stopped).rejects.toThrow("enough");
  await expect(clock.sleep(1, stop.signal)).rejects.toThrow("enough");
  expect(clock.pending).toBe(0);
});
