import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { SyncRunner } from "./sync-runner.ts";

const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await Promise.resolve();
};

test("changes that come together are put in place together, at once after a pause", async () => {
  const clock = new ManualClock();
  const starts: number[] = [];
  const run = async (): Promise<undefined> => void starts.push(clock.now());
  const runner = new SyncRunner({ clock, minIntervalMs: 1_000, run });
  runner.ask();
  await settle();
  for (let i = 0; i < 5; i++) runner.ask();
  clock.advance(999);
  await settle();
  expect(starts).toEqual([0]);
  clock.advance(1);
  await settle();
  expect(starts).toEqual([0, 1_000]);
  clock.advance(5_000);
  runner.ask();
  await settle();
  expect(starts).toEqual([0, 1_000, 6_000]);
  await runner.stop();
  runner.ask();
  clock.advance(10_000);
  expect([starts.length, clock.pending]).toEqual([3, 0]);
});

test("never two at once; what is asked for meanwhile comes after, and so does what asks to come again", async () => {
  const clock = new ManualClock();
  const ends: (() => void)[] = [];
  let running = 0;
  const run = async (): Promise<number | undefined> => {
    expect(++running).toBe(1);
    await new Promise<void>((resolve) => ends.push(resolve));
    running--;
    return ends.length === 2 ? 30_000 : undefined;
  };
  const runner = new SyncRunner({ clock, minIntervalMs: 0, run });
  runner.ask();
  runner.ask();
  await settle();
  expect(ends).toHaveLength(1);
  ends[0]?.();
  await settle();
  expect(ends).toHaveLength(2);
  ends[1]?.();
  await settle();
  clock.advance(29_999);
  await settle();
  expect(ends).toHaveLength(2);
  clock.advance(1);
  await settle();
  expect(ends).toHaveLength(3);
  ends[2]?.();
  await runner.stop();
});
