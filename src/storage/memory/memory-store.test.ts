import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { nextTurn } from "#base/turn.ts";
import { describeStoreContract } from "../kv.contract.ts";
import { MemoryStore } from "./memory-store.ts";

describeStoreContract("memory", async (clock) => new MemoryStore({ clock }));
describeStoreContract("memory, as programs have it", async (clock) => new MemoryStore({ clock, nextTurn }));

test("writes of one turn are made at once and answered together in the next", async () => {
  const turns: (() => void)[] = [];
  await using store = new MemoryStore({ clock: new ManualClock(), nextTurn: (task) => turns.push(task) });
  const told: number[] = [];
  const write = (key: string): Promise<unknown> =>
    store.txn({ key, expectedModRevision: 0, put: { value: Uint8Array.of(1) } }).then(({ revision }) => told.push(revision));
  const first = [write("/a"), write("/b")];
  expect(await store.count("/")).toBe(2);
  expect(told).toEqual([]);
  expect(turns).toHaveLength(1);
  turns.shift()?.();
  await Promise.all(first);
  expect(told).toEqual([2, 3]);
  const third = write("/c");
  expect(turns).toHaveLength(1);
  turns.shift()?.();
  await third;
  expect(told).toEqual([2, 3, 4]);
});

test("history beyond its bound is compacted by itself", async () => {
  const store = new MemoryStore({ clock: new ManualClock(), historyRevisionsMax: 8 });
  let revision = 0;
  for (let i = 0; i < 100; i++) {
    ({ revision } = await store.txn({ key: "/a", expectedModRevision: revision, put: { value: Uint8Array.of(i) } }));
  }
  expect((await store.get("/a", { revision: 96 })).kv?.modRevision).toBe(96);
  await expect(store.get("/a", { revision: 80 })).rejects.toMatchObject({ code: "Compacted" });
  await store.close();
});
