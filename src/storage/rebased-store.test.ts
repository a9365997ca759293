import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { describeStoreContract } from "./kv.contract.ts";
import { MemoryStore } from "./memory/memory-store.ts";
import { RebasedStore } from "./rebased-store.ts";

const prefixes = { outer: "/a/", inner: "/elsewhere/" };

describeStoreContract("rebased", async (clock) => new RebasedStore(new MemoryStore({ clock }), { outer: "/a/", inner: "/a/" }));

test("keys under the prefix lie elsewhere, others where they are", async () => {
  const behind = new MemoryStore({ clock: new ManualClock() });
  await using store = new RebasedStore(behind, prefixes);
  const seen: string[] = [];
  store.watch("/a/", {
    startRevision: 2,
    signal: new AbortController().signal,
    onEvents: (events) =>
      void seen.push(...events.map((event) => `${event.type} ${event.key} ${event.type === "put" ? event.kv.key : ""}`)),
    onError: () => undefined,
  });
  const value = new Uint8Array(1);
  for (const key of ["/a/1", "/a/2", "compact_rev_key"]) await store.txn({ key, expectedModRevision: 0, put: { value } });
  expect((await behind.list("")).kvs.map(({ key }) => key)).toEqual(["/elsewhere/1", "/elsewhere/2", "compact_rev_key"]);
  expect((await store.list("/a/", { startKey: "/a/2" })).kvs.map(({ key }) => key)).toEqual(["/a/2"]);
  expect((await store.get("/a/1")).kv?.key).toBe("/a/1");
  expect(await store.count("/a/")).toBe(2);
  const refused = await store.txn({ key: "/a/1", expectedModRevision: 0, put: { value } });
  expect(refused.succeeded ? undefined : refused.current?.key).toBe("/a/1");
  expect(await store.txn({ key: "/a/1", expectedModRevision: 2 })).toMatchObject({ succeeded: true });
  expect(seen).toEqual(["put /a/1 /a/1", "put /a/2 /a/2", "delete /a/1 "]);
});
