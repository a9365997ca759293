import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { RateLimitingQueue } from "./work-queue.ts";

test("a key waits once, however often it is added", async () => {
  const queue = new RateLimitingQueue({ clock: new ManualClock() });
  for (const key of ["a", "b", "a"]) queue.add(key);
  expect([queue.length, await queue.get(), await queue.get(), queue.length]).toEqual([2, "a", "b", 0]);
});

test("a key that is added while it is worked on comes again afterwards, and not before", async () => {
  const queue = new RateLimitingQueue({ clock: new ManualClock() });
  queue.add("a");
  await queue.get();
  queue.add("a");
  expect(queue.length).toBe(0);
  queue.done("a");
  expect(await queue.get()).toBe("a");
});

test("a waiting worker gets the next key, and nothing else does", async () => {
  const queue = new RateLimitingQueue({ clock: new ManualClock() });
  const waiting = queue.get();
  queue.add("a");
  queue.add("a");
  expect(await waiting).toBe("a");
  queue.done("a");
  expect(await queue.get()).toBe("a");
});

test("failures wait twice as long each time, until the key is forgotten", () => {
  const clock = new ManualClock();
  const queue = new RateLimitingQueue({ clock });
  const arrivals: number[] = [];
  for (let i = 0; i < 4; i++) {
    queue.addRateLimited(`key`);
    const before = clock.now();
    while (queue.length === 0) clock.advance(1);
    arrivals.push(clock.now() - before);
    void queue.get();
    queue.done("key");
    if (i === 2) queue.forget("key");
  }
  expect(arrivals).toEqual([5, 10, 20, 5]);
});

test("of several delays the earliest counts", () => {
  const clock = new ManualClock();
  const queue = new RateLimitingQueue({ clock });
  queue.addAfter("a", 100);
  queue.addAfter("a", 10);
  queue.addAfter("a", 50);
  clock.advance(10);
  expect(queue.length).toBe(1);
  void queue.get();
  queue.done("a");
  clock.advance(1000);
  expect(queue.length).toBe(0);
});

test("shutdown wakes waiting workers and drops what waits", async () => {
  const queue = new RateLimitingQueue({ clock: new ManualClock() });
  const waiting = queue.get();
  queue.shutDown();
  queue.add("a");
  expect([await waiting, await queue.get(), queue.length]).toEqual([undefined, undefined, 0]);
});
