import { expect, test } from "vitest";
import { ResourceCache } from "#apiserver/cacher/resource-cache.ts";
import type { ObjectFilter } from "#apiserver/cacher/watch-group.ts";
import type { ResponseSink } from "#apiserver/endpoints/response.ts";
import { ApiParts } from "./api-parts.ts";
import { cost, costRatio, middle, say } from "./cost.ts";

const COLLECTION = "/api/v1/namespaces/ns/configmaps";
const WATCHED = `${COLLECTION}?watch=1&resourceVersion=0`;
/** Of an object in bytes, so that encoding it is what an event costs. */
const LARGE = 20_000;

/** A client that takes what it is sent, and remembers the pieces. */
class Reader implements ResponseSink {
  readonly pieces: (Uint8Array | string)[] = [];
  #onClose: () => void = () => undefined;
  write(piece: Uint8Array | string): boolean {
    this.pieces.push(piece);
    return true;
  }
  end(): void {
    this.#onClose();
  }
  onDrain(): void {}
  onClose(callback: () => void): void {
    this.#onClose = callback;
  }
  abort(): void {
    this.end();
  }
}

async function watched(api: ApiParts, readers: number, url: string = WATCHED): Promise<readonly Reader[]> {
  const all = Array.from({ length: readers }, () => new Reader());
  for (const reader of all) await api.get(url, reader);
  return all;
}

/** Processor time of an object's creation among so many watchers, in microseconds: the middle of several. */
async function creation(api: ApiParts, readers: readonly Reader[], round: number): Promise<number> {
  const costs: number[] = [];
  for (let i = 0; i < 5; i++) {
    costs.push(await cost(() => api.fill(10, { prefix: `r${round}-${i}`, bytes: LARGE }).then(() => 10)));
    for (const reader of readers) reader.pieces.length = 0;
  }
  return middle(costs);
}

test("an event is encoded once, however many watch", async () => {
  await using api = await ApiParts.start();
  const readers = await watched(api, 50);
  await api.fill(1, { bytes: LARGE });
  const sent = readers.map(({ pieces }) => pieces[0]);
  expect(sent[0]?.length).toBeGreaterThan(LARGE / 2);
  expect(new Set(sent).size).toBe(1);
});

// Measured: a thousand watchers make an event 1.2 to 3.1 times as expensive. Were it encoded for each, it were some hundred times.
test("what an event costs grows by a sliver with each that watches", async () => {
  await using api = await ApiParts.start();
  const few = await watched(api, 1);
  await creation(api, few, 0);
  const costOfFew = await creation(api, few, 1);
  const many = await watched(api, 1_000);
  await creation(api, many, 2);
  const costOfMany = await creation(api, many, 3);
  say(costOfMany / costOfFew);
  expect(costOfMany / costOfFew).toBeLessThan(10);
});

// Measured: 0.4 to 2.3. Were each asked whether the event is for it, it were 14.
test.each([
  { what: "another namespace", filterOf: (i: number): ObjectFilter => ({ namespace: `n${i}`, name: "", id: `n${i}` }) },
  { what: "objects of other names", filterOf: (i: number): ObjectFilter => ({ namespace: "", name: `n${i}`, id: `n${i}` }) },
  {
    what: "other objects of the namespace",
    filterOf: (i: number): ObjectFilter => ({ namespace: "ns", name: `n${i}`, id: `ns/n${i}` }),
  },
])("who watches $what costs an event nothing", async ({ filterOf }) => {
  await using alone = await ApiParts.start();
  await using among = await ApiParts.start();
  const { cache } = among.endpoint.store.core;
  if (!(cache instanceof ResourceCache)) throw new Error("another kind of cache");
  for (let i = 0; i < 20_000; i++) cache.watch(filterOf(i), { onEvents: () => undefined, onEnd: () => undefined });
  let round = 0;
  const creations = (api: ApiParts) => (): Promise<number> =>
    api.fill(200, { prefix: `r${round++}`, bytes: 100 }).then(() => 200);
  expect(await costRatio(creations(among), creations(alone))).toBeLessThan(6);
});

// Measured: 0.9 to 1.5. Were each asked whether the event is for it, it were 30 and more.
test.each([
  { what: "a field", selector: (i: number): string => `fieldSelector=data.key-0%3Dnode-${i}` },
  { what: "a field and a namespace", url: COLLECTION, selector: (i: number): string => `fieldSelector=data.key-0%3Dnode-${i}` },
  { what: "a label", selector: (i: number): string => `labelSelector=app%3Dservice-${i}` },
  { what: "values of a label", selector: (i: number): string => `labelSelector=app+in+(service-${i},other-${i})` },
])("who selects other objects by $what costs an event nothing", async ({ url = "/api/v1/configmaps", selector }) => {
  await using alone = await ApiParts.start();
  await using among = await ApiParts.start();
  for (let i = 0; i < 10_000; i++) await among.get(`${url}?watch=1&${selector(i)}`, new Reader());
  let round = 0;
  const creations = (api: ApiParts) => (): Promise<number> =>
    api.fill(200, { prefix: `r${round++}`, bytes: 100 }).then(() => 200);
  expect(await costRatio(creations(among), creations(alone))).toBeLessThan(6);
});
