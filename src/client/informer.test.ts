import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import type { ResourceId } from "./client.ts";
import { FakeClient } from "./fake-client.ts";
import { SharedInformerFactory } from "./informer.ts";

const THINGS: ResourceId = { group: "", version: "v1", resource: "configmaps" };

function setUp(): { client: FakeClient; factory: SharedInformerFactory; stop: AbortController } {
  const client = new FakeClient({
    resources: [{ id: THINGS, kind: "ConfigMap", namespaced: true }],
    clock: realClock,
    random: seededRandom(1),
  });
  return {
    client,
    factory: new SharedInformerFactory({ client, clock: realClock, random: seededRandom(2), freeze: true }),
    stop: new AbortController(),
  };
}

/** Nothing here waits for time: what is under way ends within these turns. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
}

const thing = (name: string, color: string): ApiObject => ({ metadata: { name, labels: { color } } });

test("an informer mirrors the list and every change, with its indexes", async () => {
  const { client, factory, stop } = setUp();
  await client.create(THINGS, "ns", thing("a", "red"));
  const informer = factory.informer<ApiObject>(THINGS);
  informer.addIndex("color", ({ metadata }) => [metadata.labels?.color ?? ""]);
  const seen: string[] = [];
  informer.addHandler({
    onAdd: ({ metadata }, initial) => seen.push(`add ${metadata.name} ${initial}`),
    onUpdate: (old, { metadata }) =>
      seen.push(`update ${metadata.name} ${old.metadata.labels?.color}->${metadata.labels?.color}`),
    onDelete: ({ metadata }) => seen.push(`delete ${metadata.name}`),
  });
  factory.start(stop.signal);
  await factory.waitForSync();
  await client.create(THINGS, "ns", thing("b", "red"));
  await client.update(THINGS, "ns", "a", thing("a", "blue"));
  await client.delete(THINGS, "ns", "b");
  await settled();
  expect(seen).toEqual(["add a true", "add b false", "update a red->blue", "delete b"]);
  expect(informer.lister.list("ns").map(({ metadata }) => metadata.name)).toEqual(["a"]);
  expect(informer.byIndex("color", "blue").map(({ metadata }) => metadata.name)).toEqual(["a"]);
  expect(informer.byIndex("color", "red")).toEqual([]);
  expect(() => Object.assign(informer.lister.get("ns", "a") ?? {}, { spec: {} })).toThrow(TypeError);
  stop.abort();
});

test("a handler that comes late is told of what is there", async () => {
  const { client, factory, stop } = setUp();
  await client.create(THINGS, "ns", thing("a", "red"));
  const informer = factory.informer<ApiObject>(THINGS);
  factory.start(stop.signal);
  await factory.waitForSync();
  const seen: string[] = [];
  informer.addHandler({ onAdd: ({ metadata }) => seen.push(metadata.name ?? "") });
  expect(seen).toEqual(["a"]);
  stop.abort();
});

/** More than are delivered in one turn of the event loop. */
const MANY = 1_000;

async function many({ client }: { client: FakeClient }): Promise<void> {
  for (let i = 0; i < MANY; i++) await client.create(THINGS, "ns", thing(`t-${i}`, "red"));
}

test("a long first list leaves others their turns, is told of when all is there, and is synced when all is told", async () => {
  const { client, factory, stop } = setUp();
  await many({ client });
  const informer = factory.informer<ApiObject>(THINGS);
  const sizes = new Set<number>();
  const revisions = new Set<number>();
  let told = 0;
  informer.addHandler({
    onAdd: () => {
      told++;
      sizes.add(informer.size);
      revisions.add(informer.revision);
    },
  });
  factory.start(stop.signal);
  let turns = 0;
  for (; !informer.hasSynced; turns++) {
    expect(told).toBeLessThan(MANY);
    await new Promise(setImmediate);
  }
  expect(turns).toBeGreaterThan(4);
  expect([told, [...sizes], revisions.size]).toEqual([MANY, [MANY], 1]);
  stop.abort();
});

test("a handler that comes while the first list is delivered is told of each object once", async () => {
  const { client, factory, stop } = setUp();
  await many({ client });
  const informer = factory.informer<ApiObject>(THINGS);
  let [told, seen] = [0, 0];
  const late: string[][] = [];
  informer.addHandler({ onAdd: () => told++ });
  factory.start(stop.signal);
  while (!informer.hasSynced) {
    const names: string[] = [];
    late.push(names);
    informer.addHandler({ onAdd: ({ metadata }) => names.push(metadata.name ?? "") });
    if (told > 0 && told < MANY) seen++;
    await new Promise(setImmediate);
  }
  expect(seen).toBeGreaterThan(0);
  for (const names of late) expect([names.length, new Set(names).size]).toEqual([MANY, MANY]);
  stop.abort();
});

test("an informer that ends within its first list tells nobody of the rest", async () => {
  const { client, factory, stop } = setUp();
  await many({ client });
  const informer = factory.informer<ApiObject>(THINGS);
  let told = 0;
  informer.addHandler({
    onAdd: () => {
      told++;
      stop.abort();
    },
  });
  factory.start(stop.signal);
  await factory.ended();
  expect([told > 0, told < MANY, informer.hasSynced]).toEqual([true, true, false]);
});
