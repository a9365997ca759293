import { expect, test } from "vitest";
import { Pace } from "./pace.ts";

test("work waits for the next turn where one has had its share, and never where it is short", async () => {
  const turns: (() => void)[] = [];
  const pace = new Pace(10, (task) => turns.push(task));
  expect([pace.before(4), pace.before(6)]).toEqual([undefined, undefined]);
  const pause = pace.before(4);
  expect(pause).toBeInstanceOf(Promise);
  turns.shift()?.();
  await pause;
  // What waited counts in the turn in which it is done.
  expect([pace.before(6), turns.length]).toEqual([undefined, 0]);
  expect(pace.before(1)).toBeInstanceOf(Promise);
});

test("a piece that is too large for any turn has one of its own", () => {
  const turns: (() => void)[] = [];
  const pace = new Pace(10, (task) => turns.push(task));
  expect(pace.before(1)).toBeUndefined();
  expect(pace.before(100)).toBeInstanceOf(Promise);
  expect(pace.before(1)).toBeInstanceOf(Promise);
  expect(turns.length).toBe(2);
});
