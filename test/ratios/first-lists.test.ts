import { expect, test, vi } from "vitest";
import { createInProcessClient } from "#apiserver/endpoints/in-process/client.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import { SharedInformerFactory } from "#client/informer.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { ApiParts } from "./api-parts.ts";
import { say } from "./cost.ts";

const OBJECTS = 5_000;
const CONFIG_MAPS = { group: "", version: "v1", resource: "configmaps" };
const USER = { name: "u", uid: "", groups: [], extra: {} };

/** Calls `look` in every turn of the event loop until the work is done; gives how many turns there were. */
async function turnsWhile(work: Promise<void>, look: () => unknown): Promise<number> {
  let turns = 0;
  let isDone = false;
  const done = work.then(() => {
    isDone = true;
  });
  while (!isDone) {
    await new Promise(setImmediate);
    await look();
    turns++;
  }
  await done;
  return turns;
}

/** The largest step between one value and the next. */
class Steps {
  #last = 0;
  largest = 0;

  reach(value: number): void {
    this.largest = Math.max(this.largest, value - this.#last);
    this.#last = value;
  }
}

// Nothing of what is kept is decoded before somebody asks, and then scheduler and controllers ask for all of it at once. Counted are objects,
// not time. Measured: 89 turns, in each of which at most 1 in 50 objects is decoded, and 1 in 10 told of. In one piece it were all in one turn.
test("requests are answered while the first lists of a server with many kept objects are made", async () => {
  const kv = new MemoryStore({ clock: realClock });
  await using before = await ApiParts.start(kv);
  await before.fill(OBJECTS);
  await using api = await ApiParts.start(kv);
  const factory = new SharedInformerFactory({
    client: createInProcessClient(api.stores, USER),
    clock: realClock,
    random: seededRandom(1),
  });
  let told = 0;
  const informers = [{}, { fieldSelector: "metadata.name!=none" }].map((scope) => factory.informer(CONFIG_MAPS, scope));
  for (const informer of informers) informer.addHandler({ onAdd: () => told++ });
  const { cache } = api.endpoint.store.core;
  const kept = cache.range(cache.tree, cache.prefix);
  expect(kept.filter((entry) => entry.isDecoded)).toEqual([]);

  const stop = new AbortController();
  const [decodings, tellings] = [new Steps(), new Steps()];
  factory.start(stop.signal);
  const turns = await turnsWhile(factory.waitForSync(), async () => {
    decodings.reach(kept.filter((entry) => entry.isDecoded).length);
    tellings.reach(told);
    await api.get("/api/v1/namespaces/ns/configmaps/c-0");
  });
  stop.abort();

  say(turns, decodings.largest / OBJECTS, tellings.largest / OBJECTS);
  expect(told).toBe(2 * OBJECTS);
  expect(turns).toBeGreaterThan(20);
  expect(decodings.largest).toBeLessThan(OBJECTS / 8);
  expect(tellings.largest).toBeLessThan(OBJECTS / 5);
});

// By which field objects are found must be looked up in each of them, once: counted are looks. Measured: 55 turns, in each of which at most
// 1 in 50 objects is looked at. In one piece it were all in one turn, of the watch in the one in which it begins.
test.each(["", "&watch=true"])("requests are answered while objects are first found by a field (%s)", async (verb) => {
  const kv = new MemoryStore({ clock: realClock });
  await using before = await ApiParts.start(kv);
  await before.fill(OBJECTS);
  await using api = await ApiParts.start(kv);
  const fields = api.endpoint.store.definition.selectableFields as Record<string, () => string>;
  using look = vi.spyOn(fields, "data.key-0");

  const looks = new Steps();
  const url = `/api/v1/configmaps?fieldSelector=data.key-0%3Dnone${verb}`;
  const turns = await turnsWhile(
    api.get(url).then(() => {}),
    async () => {
      looks.reach(look.mock.calls.length);
      await api.get("/api/v1/namespaces/ns/configmaps/c-0");
    },
  );

  say(turns, looks.largest / OBJECTS);
  expect(look.mock.calls.length).toBe(OBJECTS);
  expect(turns).toBeGreaterThan(20);
  expect(looks.largest).toBeLessThan(OBJECTS / 8);
});
