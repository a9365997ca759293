import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { MemoryStore } from "./memory/memory-store.ts";
import { ReadOnlyStore } from "./read-only-store.ts";

test("reads and watches are those of the store behind it, and every write is refused", async () => {
  await using inner = new MemoryStore({ clock: new ManualClock() });
  await inner.txn({ key: "/a", expectedModRevision: 0, put: { value: new Uint8Array(1) } });
  const store = new ReadOnlyStore(inner);
  const seen: string[] = [];
  store.watch("/", {
    startRevision: 2,
    signal: new AbortController().signal,
    onEvents: (events) => void seen.push(...events.map(({ type, key }) => `${type} ${key}`)),
    onError: () => undefined,
  });
  expect([(await store.get("/a")).revision, (await store.list("/")).kvs.length, await store.count("/")]).toEqual([2, 1, 1]);
  const refusal = { code: "Unavailable", message: "the store is open for reading only" };
  await expect(store.txn()).rejects.toMatchObject(refusal);
  await expect(store.compact()).rejects.toMatchObject(refusal);
  await expect(store.grantLease()).rejects.toMatchObject(refusal);
  await store.checkHealth();
  expect(await inner.currentRevision()).toBe(2);
  expect(seen).toEqual(["put /a"]);
  expect(store.features.shared).toBe(false);
});
