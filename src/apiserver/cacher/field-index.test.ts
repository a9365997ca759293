import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { seededRandom } from "#base/random.ts";
import { encodeObject } from "../serializer.ts";
import { type CacheEntry, entryFromValue } from "./cache-entry.ts";
import { ResourceCache } from "./resource-cache.ts";
import type { Attribute, FilterMark } from "./watch-group.ts";

const PREFIX = "/registry/pods/";
const NODE: Attribute = {
  id: "spec.nodeName",
  of: ({ object }) => (object as { spec?: { nodeName?: string } }).spec?.nodeName ?? "",
};

const ON_N1: FilterMark = { attribute: NODE, value: "n1" };

function pod(key: string, revision: number, nodeName: string, note = ""): CacheEntry {
  const [namespace = "", name = ""] = key.split("/");
  const object = { apiVersion: "v1", kind: "Pod", metadata: { name, namespace }, spec: { nodeName, note } } as ApiObject;
  return entryFromValue(PREFIX.length, `${PREFIX}${key}`, revision, encodeObject(object).bytes);
}

function cacheOf(...entries: CacheEntry[]): ResourceCache {
  const cache = new ResourceCache(PREFIX);
  cache.indexed = [NODE.id];
  cache.load(entries, 1);
  return cache;
}

function namesOn(cache: ResourceCache, value: string, prefix = PREFIX): string[] {
  const tree = cache.treeOf({ attribute: NODE, value });
  if (tree === undefined) throw new Error("not indexed");
  return cache.range(tree, prefix).map(({ key, revision }) => `${key.slice(PREFIX.length)}@${revision}`);
}

test("finds objects by the value that they have now, in the order of their keys", () => {
  const cache = cacheOf(pod("a/y", 1, "n1"), pod("a/x", 1, "n1"), pod("b/x", 1, "n2"));
  expect(namesOn(cache, "n1")).toEqual(["a/x@1", "a/y@1"]);
  const change = (entry: CacheEntry): void => cache.apply([{ key: entry.key, revision: entry.revision, entry }]);
  change(pod("b/x", 2, "n1"));
  change(pod("a/y", 3, "n1"));
  change(pod("c/z", 4, ""));
  cache.apply([{ key: `${PREFIX}a/x`, revision: 5, entry: undefined }]);
  expect([namesOn(cache, "n1"), namesOn(cache, "n2"), namesOn(cache, "")]).toEqual([["a/y@3", "b/x@2"], [], ["c/z@4"]]);
  expect(namesOn(cache, "n1", `${PREFIX}b/`)).toEqual(["b/x@2"]);
  cache.load([pod("d/d", 9, "n1")], 9);
  expect(namesOn(cache, "n1")).toEqual(["d/d@9"]);
});

test("is for fields that are indexed alone", () => {
  const cache = cacheOf(pod("a/x", 1, "n1"));
  const other: Attribute = { id: "status.phase", of: () => "" };
  expect([undefined, { attribute: other, value: "" }, { label: "app", values: ["x"] }].map((mark) => cache.treeOf(mark))).toEqual(
    [undefined, undefined, undefined],
  );
});

test("leaves undecoded what was", () => {
  const entry = pod("a/x", 1, "n1");
  const cache = cacheOf(entry);
  expect(namesOn(cache, "n1")).toEqual(["a/x@1"]);
  expect(entry.isDecoded).toBe(false);
});

/** As many as are not looked at in one turn. */
function many(count: number): CacheEntry[] {
  return Array.from({ length: count }, (_, i) => pod(`ns-${i % 3}/p-${i}`, 1, `n${i % 5}`, "x".repeat(1_000)));
}

function expectAllFound(cache: ResourceCache): void {
  for (const value of ["n0", "n1", "n2", "n3", "n4", "n5"]) {
    const all = cache.range(cache.tree, PREFIX).filter((entry) => NODE.of(entry) === value);
    expect(namesOn(cache, value)).toEqual(all.map(({ key, revision }) => `${key.slice(PREFIX.length)}@${revision}`));
  }
}

test("misses nothing that changes while it is made in pieces", async () => {
  const random = seededRandom(11);
  const pick = (count: number): number => Math.floor(random.float() * count);
  const cache = cacheOf(...many(1_000));
  let isFindable = false;
  const finding = cache.findable(ON_N1)?.then(() => {
    isFindable = true;
  });
  expect(cache.findable(ON_N1)).toBeInstanceOf(Promise);
  let turns = 0;
  for (let revision = 2; !isFindable; turns++) {
    for (let i = 0; i < 50; i++, revision++) {
      const at = pick(1_200);
      const key = `ns-${at % 3}/p-${at}`;
      const entry = pick(4) === 0 ? undefined : pod(key, revision, `n${pick(6)}`);
      cache.apply([{ key: `${PREFIX}${key}`, revision, entry }]);
    }
    await new Promise(setImmediate);
  }
  await finding;
  expect(turns).toBeGreaterThan(4);
  expect(cache.findable(ON_N1)).toBeUndefined();
  expectAllFound(cache);
});

test("lets others have their turns where much is decoded, too", async () => {
  const entries = many(5_000);
  for (const entry of entries) expect(entry.object.kind).toBe("Pod");
  const cache = cacheOf(...entries);
  let isFindable = false;
  const finding = cache.findable(ON_N1)?.then(() => {
    isFindable = true;
  });
  let turns = 0;
  for (; !isFindable; turns++) await new Promise(setImmediate);
  await finding;
  expect(turns).toBeGreaterThan(3);
});

test("who cannot wait finds all while it is made in pieces", async () => {
  const cache = cacheOf(...many(500));
  const finding = cache.findable(ON_N1);
  await new Promise(setImmediate);
  expectAllFound(cache);
  const gone = `${PREFIX}ns-0/p-0`;
  cache.apply([{ key: gone, revision: 2, entry: undefined }]);
  await finding;
  expectAllFound(cache);
});

test("is made anew where all is loaded anew meanwhile", async () => {
  const cache = cacheOf(...many(500));
  const finding = cache.findable(ON_N1);
  cache.load([pod("d/d", 9, "n1")], 9);
  await finding;
  expect(namesOn(cache, "n1")).toEqual(["d/d@9"]);
});

test("says what looking at all says, whatever happens", () => {
  const random = seededRandom(7);
  const pick = (count: number): number => Math.floor(random.float() * count);
  const cache = cacheOf();
  namesOn(cache, "n0");
  for (let revision = 2; revision < 2_000; revision++) {
    const key = `ns-${pick(3)}/p-${pick(40)}`;
    const entry = pick(4) === 0 ? undefined : pod(key, revision, `n${pick(5)}`);
    cache.apply([{ key: `${PREFIX}${key}`, revision, entry }]);
  }
  expectAllFound(cache);
});
