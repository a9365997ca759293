import { expect, test, vi } from "vitest";
import { forbidden, internalError } from "#apimachinery/api-errors/errors.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { StorageError } from "#storage/kv.ts";
import { untilStored } from "./until-stored.ts";

const unavailable = new StorageError("Unavailable", "etcdserver: no leader");

/** Lets promises be kept, and a second pass, again and again. */
async function pass(clock: ManualClock, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    clock.advance(1_000);
  }
}

function failing(...failures: readonly unknown[]): { readonly work: () => Promise<void>; readonly tries: () => number } {
  let tries = 0;
  const work = async (): Promise<void> => {
    const failure = failures[tries++];
    if (failure !== undefined) throw failure;
  };
  return { work, tries: () => tries };
}

test("what the store could not do is done again until it can", async () => {
  const clock = new ManualClock(0);
  const onFailure = vi.fn();
  const { work, tries } = failing(unavailable, internalError("x"));
  const done = untilStored(work, { clock, signal: new AbortController().signal, onFailure });
  await pass(clock, 5);
  await done;
  expect([tries(), onFailure.mock.calls.length]).toEqual([3, 2]);
});

test("what will not get better is not tried again", async () => {
  const refused = forbidden({ group: "", resource: "services" }, "x", "no");
  const { work, tries } = failing(refused);
  const options = { clock: new ManualClock(0), signal: new AbortController().signal, onFailure: vi.fn() };
  await expect(untilStored(work, options)).rejects.toBe(refused);
  expect(tries()).toBe(1);
});

test("tries end with their time", async () => {
  const clock = new ManualClock(0);
  const { work, tries } = failing(...Array.from({ length: 100 }, () => unavailable));
  const done = untilStored(work, { clock, signal: new AbortController().signal, limitMs: 3_000, onFailure: vi.fn() });
  const ended = expect(done).rejects.toBe(unavailable);
  await pass(clock, 6);
  await ended;
  expect(tries()).toBe(4);
});

test("tries end with the server", async () => {
  const clock = new ManualClock(0);
  const stopping = new AbortController();
  const { work } = failing(...Array.from({ length: 100 }, () => unavailable));
  const done = untilStored(work, { clock, signal: stopping.signal, onFailure: vi.fn() });
  const ended = expect(done).rejects.toBe(unavailable);
  await pass(clock, 2);
  stopping.abort();
  await ended;
});
