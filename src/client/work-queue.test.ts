import { expect, test } from "vitest";
import type { Clock } from "#base/clock.ts";
import { RateLimitingQueue } from "./work-queue.ts";

/** A clock whose timers run when the test says so. */
function manualClock(): { clock: Clock; advance: (ms: number) => void } {
  let now = 0;
  let timers: { due: number; task: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    setTimeout(task, delayMs) {
      const timer = { due: now + delayMs, task };
      timers.push(timer);
      const clear = (): void => {
        timers = timers.filter((other) => other !== timer);
      };
      return { clear };
    },
    setInterval: () => ({ clear: () => {} }),
    sleep: async () => {},
  };
  return {
    clock,
    advance(ms) {
      now += ms;
      const due = timers.filter((timer) => timer.due <= now);
      timers = timers.filter((timer) => timer.due > now);
      for (const { task } of due) task();
    },
  };
}

test("a key waits once, however often it is added", async () => {
  const queue = new RateLimitingQueue({ clock: manualClock().clock });
  for (const key of ["a", "b", "a"]) queue.add(key);
  expect([queue.length, await queue.get(), await queue.get(), queue.length]).toEqual([2, "a", "b", 0]);
});

test("a key that is added while it is worked on comes again afterwards, and not before", async () => {
  const queue = new RateLimitingQueue({ clock: manualClock().clock });
  queue.add("a");
  await queue.get();
  queue.add("a");
  expect(queue.length).toBe(0);
  queue.done("a");
  expect(await queue.get()).toBe("a");
});

test("a waiting worker gets the next key, and nothing else does", async () => {
  const queue = new RateLimitingQueue({ clock: manualClock().clock });
  const waiting = queue.get();
  queue.add("a");
  queue.add("a");
  expect(await waiting).toBe("a");
  queue.done("a");
  expect(await queue.get()).toBe("a");
});

test("failures wait twice as long each time, until the key is forgotten", () => {
  const { clock, advance } = manualClock();
  const queue = new RateLimitingQueue({ clock });
  const arrivals: number[] = [];
  for (let i = 0; i < 4; i++) {
    queue.addRateLimited(`key`);
    const before = clock.now();
    while (queue.length === 0) advance(1);
    arrivals.push(clock.now() - before);
    void queue.get();
    queue.done("key");
    if (i === 2) queue.forget("key");
  }
  expect(arrivals).toEqual([5, 10, 20, 5]);
});

test("of several delays the earliest counts", () => {
  const { clock, advance } = manualClock();
  const queue = new RateLimitingQueue({ clock });
  queue.addAfter("a", 100);
  queue.addAfter("a", 10);
  queue.addAfter("a", 50);
  advance(10);
  expect(queue.length).toBe(1);
  void queue.get();
  queue.done("a");
  advance(1000);
  expect(queue.length).toBe(0);
});

test("shutdown wakes waiting workers and drops what waits", async () => {
  const queue = new RateLimitingQueue({ clock: manualClock().clock });
  const waiting = queue.get();
  queue.shutDown();
  queue.add("a");
  expect([await waiting, await queue.get(), queue.length]).toEqual([undefined, undefined, 0]);
});
