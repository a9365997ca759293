import { expect, test } from "vitest";
import type { Clock } from "#base/clock.ts";
import { startCompactor } from "./compactor.ts";
import { manualClock } from "./kv.contract.ts";
import { MemoryStore } from "./memory/memory-store.ts";

test("history lives for one to two intervals, until the signal ends it", async () => {
  let tick: () => void = () => undefined;
  let cleared = false;
  const clock: Clock = {
    ...manualClock(),
    setInterval(task) {
      tick = task;
      return {
        clear: () => {
          cleared = true;
        },
      };
    },
  };
  const store = new MemoryStore({ clock });
  const controller = new AbortController();
  startCompactor({ store, clock, signal: controller.signal });
  const write = async (key: string) => store.txn({ key, expectedModRevision: 0, put: { value: new Uint8Array(1) } });
  const pass = async (): Promise<void> => {
    tick();
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  await write("/a");
  await pass();
  await write("/b");
  expect((await store.list("/", { revision: 1 })).kvs).toEqual([]);
  await pass();
  await expect(store.list("/", { revision: 1 })).rejects.toMatchObject({ code: "Compacted", compactRevision: 2 });
  expect((await store.list("/", { revision: 2 })).kvs).toHaveLength(1);
  controller.abort();
  expect(cleared).toBe(true);
  await store.close();
});
