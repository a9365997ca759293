import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { encodeObject } from "../serializer.ts";
import { type CacheEntry, entryFromValue } from "./cache-entry.ts";
import { HISTORY_EVENTS_MAX } from "./event-history.ts";
import { ResourceCache } from "./resource-cache.ts";
import type { FilteredEvent, ObjectFilter, WatchConsumer } from "./watch-group.ts";

const PREFIX = "/registry/configmaps/";
const EVERYTHING: ObjectFilter = { namespace: "", name: "", id: "" };

function entry(namespace: string, name: string, revision: number, color = "red"): CacheEntry {
  const object: ApiObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, labels: { color } } };
  return entryFromValue(PREFIX.length, `${PREFIX}${namespace}/${name}`, revision, encodeObject(object).bytes);
}

function put(cache: ResourceCache, state: CacheEntry): void {
  cache.apply([{ key: state.key, revision: state.revision, entry: state }]);
}

function remove(cache: ResourceCache, key: string, revision: number): void {
  cache.apply([{ key, revision, entry: undefined }]);
}

class Recorder implements WatchConsumer {
  readonly seen: string[] = [];
  ended = false;
  onEvents(events: readonly FilteredEvent[]): void {
    for (const { type, entry: state } of events) this.seen.push(`${type} ${state.namespace}/${state.name}@${state.revision}`);
  }
  onEnd(): void {
    this.ended = true;
  }
}

function selecting(color: string): ObjectFilter {
  return { namespace: "", name: "", id: color, matches: ({ object }) => object.metadata.labels?.color === color };
}

test("a watch sees what its filter lets through, as if nothing else existed", () => {
  const cache = new ResourceCache(PREFIX);
  const watches = {
    all: [EVERYTHING, new Recorder()],
    inA: [{ namespace: "a", name: "", id: "a" }, new Recorder()],
    blue: [selecting("blue"), new Recorder()],
    named: [{ namespace: "", name: "y", id: "y" }, new Recorder()],
    one: [{ namespace: "a", name: "x", id: "a/x" }, new Recorder()],
    other: [{ namespace: "a", name: "y", id: "a/y" }, new Recorder()],
  } as const;
  for (const [filter, recorder] of Object.values(watches)) cache.watch(filter, recorder);
  put(cache, entry("a", "x", 2));
  put(cache, entry("b", "y", 3, "blue"));
  put(cache, entry("a", "x", 4, "blue"));
  put(cache, entry("b", "y", 5));
  remove(cache, `${PREFIX}a/x`, 6);
  expect(Object.fromEntries(Object.entries(watches).map(([name, [, { seen }]]) => [name, seen]))).toEqual({
    all: ["ADDED a/x@2", "ADDED b/y@3", "MODIFIED a/x@4", "MODIFIED b/y@5", "DELETED a/x@6"],
    inA: ["ADDED a/x@2", "MODIFIED a/x@4", "DELETED a/x@6"],
    blue: ["ADDED b/y@3", "ADDED a/x@4", "DELETED b/y@5", "DELETED a/x@6"],
    named: ["ADDED b/y@3", "MODIFIED b/y@5"],
    one: ["ADDED a/x@2", "MODIFIED a/x@4", "DELETED a/x@6"],
    other: [],
  });
});

test("watches that go leave nothing, and hear nothing more", () => {
  const cache = new ResourceCache(PREFIX);
  const recorders = Array.from({ length: 100 }, () => new Recorder());
  const filters = [EVERYTHING, { namespace: "a", name: "", id: "a" }, selecting("red")];
  const leave = recorders.map((recorder, i) => cache.watch(filters[i % filters.length] ?? EVERYTHING, recorder));
  expect(cache.watchCount).toBe(100);
  for (const go of leave) go();
  for (const go of leave) go();
  expect(cache.watchCount).toBe(0);
  put(cache, entry("a", "x", 2));
  expect(recorders.every(({ seen }) => seen.length === 0)).toBe(true);
});

test("a watch may leave while events are delivered", () => {
  const cache = new ResourceCache(PREFIX);
  const [first, second] = [new Recorder(), new Recorder()];
  let leaveSecond = (): void => {};
  cache.watch(EVERYTHING, { onEvents: () => leaveSecond(), onEnd: () => {} });
  cache.watch(EVERYTHING, first);
  leaveSecond = cache.watch(EVERYTHING, second);
  put(cache, entry("a", "x", 2));
  put(cache, entry("a", "y", 3));
  expect(first.seen).toEqual(["ADDED a/x@2", "ADDED a/y@3"]);
  expect(second.seen.length).toBeLessThan(2);
  expect(cache.watchCount).toBe(2);
});

test("loading anew ends every watch", () => {
  const cache = new ResourceCache(PREFIX);
  const recorder = new Recorder();
  cache.watch(EVERYTHING, recorder);
  cache.load([entry("a", "x", 7)], 9);
  expect(recorder.ended).toBe(true);
  expect(cache.watchCount).toBe(0);
  expect(cache.get("a", "x")?.revision).toBe(7);
  expect(cache.eventsSince(8, EVERYTHING)).toBeUndefined();
  expect(cache.eventsSince(9, EVERYTHING)).toEqual([]);
});

test("older states are read until the history forgets them", () => {
  const cache = new ResourceCache(PREFIX);
  cache.load([], 1);
  for (let revision = 2; revision < HISTORY_EVENTS_MAX + 12; revision++) put(cache, entry("a", `n${revision % 3}`, revision));
  expect(cache.baseRevision).toBe(11);
  expect(cache.treeAt(10)).toBeUndefined();
  expect(cache.eventsSince(10, EVERYTHING)).toBeUndefined();
  expect(cache.eventsSince(11, EVERYTHING)?.length).toBe(HISTORY_EVENTS_MAX);
  const names = cache.range(cache.treeAt(12) ?? cache.tree, PREFIX).map(({ name, revision }) => `${name}@${revision}`);
  expect(names).toEqual(["n0@12", "n1@10", "n2@11"]);
});
