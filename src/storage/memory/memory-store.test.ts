import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { describeStoreContract } from "../kv.contract.ts";
import { MemoryStore } from "./memory-store.ts";

describeStoreContract("memory", async (clock) => new MemoryStore({ clock }));

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
