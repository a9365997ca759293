import { expect, test, vi } from "vitest";
import { CacheEntry } from "#apiserver/cacher/cache-entry.ts";
import { ResourceCache } from "#apiserver/cacher/resource-cache.ts";
import { VersionCache } from "#apiserver/cacher/version-cache.ts";
import { createInProcessClient } from "#apiserver/endpoints/in-process/client.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import { SharedInformerFactory } from "#client/informer.ts";
import { nodeAuthorizer } from "#kube-apiserver/authorization/node-authorizer.ts";
import { NodeGraph } from "#kube-apiserver/authorization/node-graph.ts";
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

/** Gives a server that begins on objects that another has left, and its entries of them, of which nothing is decoded yet. */
async function onKeptObjects(run: (api: ApiParts, kept: readonly CacheEntry[]) => Promise<void>): Promise<void> {
  const kv = new MemoryStore({ clock: realClock });
  await using before = await ApiParts.start(kv);
  await before.fill(OBJECTS);
  await using api = await ApiParts.start(kv);
  const { cache } = api.endpoint.store.core;
  const kept = cache.range(cache.tree, cache.prefix);
  await run(api, kept);
}

// What a list shows of each object is made when somebody asks for it first, as client-go does for all Pods. Measured: 130 to 250 turns, in each of
// which it is made of at most 1 in 120 objects. In one piece it were all in one turn.
test.each<[string, string, (entry: CacheEntry) => boolean]>([
  ["protobuf", "application/vnd.kubernetes.protobuf", (entry) => entry.isMessageAs("v1")],
  ["a table", "application/json;as=Table;g=meta.k8s.io;v=v1", (entry) => entry.isDecoded],
])("requests are answered while a list of kept objects is written as %s", (_, accept, isMade) =>
  onKeptObjects(async (api, kept) => {
    const made = new Steps();
    const list = api.get("/api/v1/configmaps", undefined, accept);
    const turns = await turnsWhile(
      list.then(() => {}),
      () => made.reach(kept.filter(isMade).length),
    );
    made.reach(kept.filter(isMade).length);

    say(turns, made.largest / OBJECTS);
    expect(kept.every(isMade)).toBe(true);
    expect(made.largest).toBeLessThan(OBJECTS / 8);
  }),
);

// What a label selector says of an object is known when that is decoded. Measured: 44 turns, in each of which at most 1 in 40 objects is. In one
// piece it were all in the turn in which the watch begins.
test("requests are answered while a watch begins with the objects that a label selects", () =>
  onKeptObjects(async (api, kept) => {
    const decodings = new Steps();
    const watch = async (): Promise<void> => {
      const closed = { write: () => true, end: () => {}, onClose: () => {}, onDrain: () => {}, abort: () => {} };
      await api.get("/api/v1/configmaps?labelSelector=app%3Dnone&watch=true", closed);
    };
    const turns = await turnsWhile(watch(), async () => {
      decodings.reach(kept.filter((entry) => entry.isDecoded).length);
      await api.get("/api/v1/namespaces/ns/configmaps/c-0");
    });
    decodings.reach(kept.filter((entry) => entry.isDecoded).length);

    say(turns, decodings.largest / OBJECTS);
    expect(kept.every((entry) => entry.isDecoded)).toBe(true);
    expect(decodings.largest).toBeLessThan(OBJECTS / 8);
  }));

// Measured: 80 turns, in each of which at most 1 in 70 objects is converted. In one piece it were all in the turn in which they are asked for.
test("requests are answered while the objects of another version are converted", async () => {
  const prefix = "/registry/g/things/";
  const data = "x".repeat(1_000);
  const stored = new ResourceCache(prefix);
  const value = (name: string): Uint8Array =>
    Buffer.from(JSON.stringify({ apiVersion: "g/v1", kind: "Thing", metadata: { name }, data }));
  const keys = Array.from({ length: OBJECTS }, (_, i) => `${prefix}t${i}`);
  stored.load(
    keys.map((key, i) => stored.entryOf(key, i + 1, value(key.slice(prefix.length)))),
    OBJECTS,
  );
  let converted = 0;
  const versions = new VersionCache(stored, {
    fromStored: (objects) => {
      converted += objects.length;
      return objects.map((object) => ({ ...object, apiVersion: "g/v2", metadata: { ...object.metadata } }));
    },
  });

  const conversions = new Steps();
  const all = versions.range(versions.tree, prefix);
  const turns = await turnsWhile(Promise.resolve(versions.ready(all)), () => conversions.reach(converted));
  conversions.reach(converted);

  say(turns, conversions.largest / OBJECTS);
  expect(converted).toBe(OBJECTS);
  expect(conversions.largest).toBeLessThan(OBJECTS / 8);
});

// Measured: 37 turns, in each of which at most 1 in 18 pods is looked at. In one piece it were all in the turn in which the first node asks.
test("requests are answered while it is found out which objects the pods of nodes refer to", async () => {
  const prefix = "/registry/pods/";
  const cache = new ResourceCache(prefix);
  const value = (name: string): Uint8Array => {
    const containers = [{ name: "c", image: "x".repeat(800), envFrom: [{ configMapRef: { name: `of-${name}` } }] }];
    return Buffer.from(
      JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec: { nodeName: "n", containers } }),
    );
  };
  const names = Array.from({ length: OBJECTS }, (_, i) => `p${i}`);
  cache.load(
    names.map((name, i) => cache.entryOf(`${prefix}ns/${name}`, i + 1, value(name))),
    OBJECTS,
  );
  const stores = {} as Stores;
  const graph = new NodeGraph(stores, () => ({
    list: () => cache.range(cache.tree, prefix),
    watch: (filter, consumer) => cache.watch(filter, consumer),
  }));
  const asked = { verb: "get", isResourceRequest: true, apiGroup: "", resource: "configmaps", subresource: "", namespace: "ns" };
  const user = { ...USER, name: "system:node:n", groups: ["system:nodes"] };
  using look = vi.spyOn(CacheEntry.prototype, "object", "get");

  const looks = new Steps();
  const question = { ...asked, user, name: "none", apiVersion: "v1", path: "" };
  const answer = Promise.resolve(nodeAuthorizer(stores, graph).authorize(question));
  const turns = await turnsWhile(
    answer.then(() => {}),
    () => looks.reach(look.mock.calls.length),
  );
  looks.reach(look.mock.calls.length);

  say(turns, looks.largest / OBJECTS);
  expect(look.mock.calls.length).toBe(OBJECTS);
  expect(looks.largest).toBeLessThan(OBJECTS / 8);
});
