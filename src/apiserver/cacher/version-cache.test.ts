import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { encodeObject } from "../serializer.ts";
import { CacheEntry } from "./cache-entry.ts";
import { ResourceCache } from "./resource-cache.ts";
import { VersionCache } from "./version-cache.ts";
import type { StoredCodec } from "./version-entry.ts";
import type { FilteredEvent, ObjectFilter } from "./watch-group.ts";

const PREFIX = "/registry/g/things/";
const ALL: ObjectFilter = { namespace: "", name: "", id: "" };

function entry(name: string, revision: number, size = 0): CacheEntry {
  const object: ApiObject = { apiVersion: "g/v1", kind: "Thing", metadata: { name }, size };
  return new CacheEntry(`${PREFIX}${name}`, "", name, revision, encodeObject(object), object);
}

/** Converts when it is told to. */
class SlowCodec implements StoredCodec {
  readonly asked: string[][] = [];
  readonly #waiting: {
    readonly objects: readonly ApiObject[];
    readonly resolve: (made: ApiObject[]) => void;
    readonly reject: (e: unknown) => void;
  }[] = [];

  fromStored = (objects: readonly ApiObject[]): Promise<readonly ApiObject[]> => {
    this.asked.push(objects.map(({ metadata }) => metadata.name ?? ""));
    return new Promise((resolve, reject) => this.#waiting.push({ objects, resolve, reject }));
  };

  async answer(): Promise<void> {
    const { objects = [], resolve } = this.#waiting.shift() ?? {};
    resolve?.(objects.map((object) => ({ ...object, apiVersion: "g/v2", metadata: { ...object.metadata } })));
    await new Promise((done) => setImmediate(done));
  }

  async fail(): Promise<void> {
    this.#waiting.shift()?.reject(new Error("no"));
    await new Promise((done) => setImmediate(done));
  }
}

function setUp(): { stored: ResourceCache; codec: SlowCodec; versions: VersionCache; put: (one: CacheEntry) => void } {
  const stored = new ResourceCache(PREFIX);
  stored.load([], 0);
  const codec = new SlowCodec();
  const put = (one: CacheEntry): void => stored.apply([{ key: one.key, revision: one.revision, entry: one }]);
  return { stored, codec, versions: new VersionCache(stored, codec), put };
}

class Seen {
  readonly events: string[] = [];
  ended = false;
  add(events: readonly FilteredEvent[]): void {
    this.events.push(...events.map(({ type, entry: { name, object } }) => `${type} ${name} ${object.apiVersion}`));
  }
  onEvents = (events: readonly FilteredEvent[]): void => this.add(events);
  onEnd = (): void => {
    this.ended = true;
  };
}

test("an object is converted once, for all who read it", async () => {
  const { versions, codec, put } = setUp();
  put(entry("a", 1));
  put(entry("b", 2));
  const all = versions.range(versions.tree, PREFIX);
  const reads = [versions.ready(all), versions.ready(all.slice(0, 1))];
  expect(codec.asked).toEqual([["a", "b"]]);
  await codec.answer();
  await Promise.all(reads);
  expect(versions.ready(versions.range(versions.tree, PREFIX))).toBeUndefined();
  expect(versions.get("", "a")?.object).toMatchObject({ apiVersion: "g/v2", metadata: { resourceVersion: "1" } });
});

test("watches are told in order, and what comes while a conversion lasts is converted together", async () => {
  const { versions, codec, put } = setUp();
  put(entry("a", 1));
  const seen = new Seen();
  const first = versions
    .range(versions.tree, PREFIX)
    .map((one) => ({ type: "ADDED" as const, entry: versions.stored.byKey(one.key) ?? one }));
  versions.join(ALL, seen, first, (events) => seen.add(events));
  for (const name of ["b", "c", "d"]) put(entry(name, name.charCodeAt(0)));
  expect(versions.told(200)).toBeUndefined();
  await codec.answer();
  await codec.answer();
  expect(codec.asked).toEqual([["a"], ["b", "c", "d"]]);
  expect(seen.events).toEqual(["ADDED a g/v2", "ADDED b g/v2", "ADDED c g/v2", "ADDED d g/v2"]);
  expect(versions.told(200)).toBe(200);
});

test("the last state of what was deleted is not converted once more", async () => {
  const { versions, codec, stored, put } = setUp();
  const seen = new Seen();
  versions.join(ALL, seen, [], () => undefined);
  put(entry("a", 1));
  await codec.answer();
  stored.apply([{ key: `${PREFIX}a`, revision: 2, entry: undefined }]);
  expect(codec.asked).toHaveLength(1);
  expect(seen.events).toEqual(["ADDED a g/v2", "DELETED a g/v2"]);
});

test("a conversion that fails ends the watches; the next reader asks again", async () => {
  const { versions, codec, put } = setUp();
  const seen = new Seen();
  versions.join(ALL, seen, [], () => undefined);
  put(entry("a", 1));
  await codec.fail();
  expect(seen.ended).toBe(true);
  const reading = versions.ready([versions.get("", "a") as CacheEntry]);
  await codec.answer();
  await reading;
  expect(versions.get("", "a")?.object.apiVersion).toBe("g/v2");
});

test("nobody watches, nobody is asked", () => {
  const { versions, codec, put } = setUp();
  put(entry("a", 1));
  expect(versions.get("", "a")?.metadata.name).toBe("a");
  expect(codec.asked).toEqual([]);
});
