import { expect, test, vi } from "vitest";
import { notFound } from "#apimachinery/api-errors/errors.ts";
import { realClock } from "#base/clock.ts";
import { EventQueue } from "./event-queue.ts";

test("beyond the limit it drops, says so at once, and how many it were in the end", async () => {
  const told: number[] = [];
  const queue = new EventQueue({ clock: realClock, max: 2, onDropped: (dropped) => told.push(dropped) });
  const write = vi.fn(async () => {});
  const taken = ["a", "b", "c", "d"].map((key) => queue.push(key, write));
  expect([taken, told]).toEqual([[true, true, false, false], [0]]);
  await queue.flush();
  expect([write.mock.calls.length, told]).toEqual([2, [0, 2]]);
  expect(queue.push("e", write)).toBe(true);
});

test("writes of one event keep their order, others do not wait for them", async () => {
  const queue = new EventQueue({ clock: realClock });
  const order: string[] = [];
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  queue.push("a", async () => {
    await held;
    order.push("a1");
  });
  queue.push("a", async () => void order.push("a2"));
  queue.push("b", async () => void order.push("b"));
  await vi.waitFor(() => expect(order).toEqual(["b"]));
  release();
  await queue.flush();
  expect(order).toEqual(["b", "a1", "a2"]);
});

test("a server that is away is tried again, one that answers is not", async () => {
  const sleeps: number[] = [];
  const clock = { ...realClock, sleep: async (ms: number) => void sleeps.push(ms) };
  const queue = new EventQueue({ clock });
  let attempts = 0;
  const done = vi.fn();
  queue.push("a", async () => {
    if (++attempts < 3) throw new Error("connection refused");
    done();
  });
  const refused = vi.fn(async () => {
    throw notFound({ group: "", resource: "namespaces" }, "gone");
  });
  queue.push("b", refused);
  await vi.waitFor(() => expect(done).toHaveBeenCalledTimes(1));
  expect([sleeps, refused.mock.calls.length]).toEqual([[10_000, 10_000], 1]);
});

test("who stops does not wait for a server that is away", async () => {
  const queue = new EventQueue({ clock: realClock });
  const attempt = vi.fn(async () => {
    throw new Error("connection refused");
  });
  queue.push("a", attempt);
  await vi.waitFor(() => expect(attempt).toHaveBeenCalled());
  await queue.flush();
});
