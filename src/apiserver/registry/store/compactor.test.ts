import { expect, test } from "vitest";
import type { Clock } from "#base/clock.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { Compactor } from "./compactor.ts";

/** A clock whose intervals pass when told to. */
function intervals(): { clock: Clock; pass: () => Promise<void> } {
  const ticks = new Set<() => void>();
  const clock: Clock = {
    now: () => 0,
    elapsed: () => 0,
    setTimeout: () => ({ clear: () => undefined }),
    setInterval(task) {
      ticks.add(task);
      return { clear: () => void ticks.delete(task) };
    },
    sleep: () => Promise.resolve(),
  };
  const pass = async (): Promise<void> => {
    for (const tick of ticks) tick();
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  return { clock, pass };
}

const at = (store: MemoryStore, revision: number) => store.list("/", { revision });

test("history lives for one to two intervals, until the signal ends it", async () => {
  const { clock, pass } = intervals();
  await using store = new MemoryStore({ clock });
  const write = async (key: string) => store.txn({ key, expectedModRevision: 0, put: { value: new Uint8Array(1) } });
  const controller = new AbortController();
  await new Compactor(store, clock).start(controller.signal);
  await write("/a");
  await pass();
  await write("/b");
  expect((await at(store, 2)).kvs).toEqual([]);
  await pass();
  await expect(at(store, 2)).rejects.toMatchObject({ code: "Compacted", compactRevision: 3 });
  expect((await at(store, 3)).kvs).toHaveLength(1);
  controller.abort();
  await write("/c");
  await pass();
  await pass();
  expect((await at(store, 3)).kvs).toHaveLength(1);
});

test("of several servers on one store one compacts in each interval", async () => {
  const { clock, pass } = intervals();
  await using store = new MemoryStore({ clock });
  const compacted: number[] = [];
  const compact = store.compact.bind(store);
  store.compact = (revision) => {
    compacted.push(revision);
    return compact(revision);
  };
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i++) await new Compactor(store, clock).start(signal);
  for (let i = 0; i < 4; i++) {
    await store.txn({ key: `/${i}`, expectedModRevision: 0, put: { value: new Uint8Array(1) } });
    await pass();
  }
  expect(compacted).toHaveLength(3);
  expect(Buffer.from((await store.get("compact_rev_key")).kv?.value ?? []).toString()).toBe(String(compacted.at(-1)));
});
