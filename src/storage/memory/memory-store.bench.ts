import { bench, describe } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { MemoryStore } from "./memory-store.ts";

const VALUE = Buffer.alloc(2_000, "x");
const OBJECTS = 5_000;
const store = new MemoryStore({ clock: new ManualClock() });
const key = (i: number): string => `/registry/pods/default/pod-${i}`;
const revisions: number[] = [];
for (let i = 0; i < OBJECTS; i++) {
  revisions.push((await store.txn({ key: key(i), expectedModRevision: 0, put: { value: VALUE } })).revision);
}

describe(`a store of ${OBJECTS} objects in memory`, () => {
  let at = 0;
  const next = (): number => at++ % OBJECTS;
  bench("get", async () => void (await store.get(key(next()))));
  bench("list of 500", async () => void (await store.list("/registry/pods/", { limit: 500 })));
  bench("list of all", async () => void (await store.list("/registry/pods/")));
  bench("compare and swap", async () => {
    const i = next();
    const { revision } = await store.txn({ key: key(i), expectedModRevision: revisions[i] ?? 0, put: { value: VALUE } });
    revisions[i] = revision;
  });
});
