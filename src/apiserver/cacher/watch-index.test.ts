import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { seededRandom } from "#base/random.ts";
import { encodeObject } from "../serializer.ts";
import { type CacheEntry, entryFromValue } from "./cache-entry.ts";
import type { CacheEvent } from "./event-history.ts";
import { type Attribute, type FilteredEvent, filterEvent, type ObjectFilter } from "./watch-group.ts";
import { WatchIndex } from "./watch-index.ts";

const PREFIX = "/registry/pods/";
const NAMESPACES = ["a", "b"];
const NAMES = ["x", "y", "z"];
const NODES = ["", "n1", "n2", "b/x"];
const COLORS = ["red", "blue", undefined];

const nodeOf = ({ object }: CacheEntry): string => (object as { spec?: { nodeName?: string } }).spec?.nodeName ?? "";
const BY_NODE: Attribute = { id: "spec.nodeName", of: nodeOf };

function podOn(namespace: string, name: string, revision: number, nodeName: string, color: string | undefined): CacheEntry {
  const labels = color === undefined ? undefined : { color };
  const object = { apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels }, spec: { nodeName } };
  const key = `${PREFIX}${namespace}/${name}`;
  return entryFromValue(PREFIX.length, key, revision, encodeObject(object as unknown as ApiObject).bytes);
}

/** Every kind of filter: of all, of a namespace, of a name; by a field, by one and by several values of a label, by something else. */
function filters(): readonly ObjectFilter[] {
  const conditions: readonly Omit<ObjectFilter, "namespace" | "name" | "id">[] = [
    {},
    ...NODES.map((node) => ({
      matches: (entry: CacheEntry) => nodeOf(entry) === node,
      mark: { attribute: BY_NODE, value: node },
    })),
    ...[["red"], ["red", "blue"], ["green"]].map((values) => ({
      matches: ({ object }: CacheEntry) => values.includes(object.metadata.labels?.color ?? ""),
      mark: { label: "color", values },
    })),
    { matches: (entry: CacheEntry) => nodeOf(entry) !== "" },
  ];
  const places = ["", ...NAMESPACES].flatMap((namespace) => ["", ...NAMES].map((name) => ({ namespace, name })));
  return places.flatMap((place, i) => conditions.map((condition, j) => ({ ...place, ...condition, id: `${i}-${j}` })));
}

/** Batches of changes of a few objects, which move between nodes and labels, go and come back. */
function batches(): readonly (readonly CacheEvent[])[] {
  const random = seededRandom(7);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random.float() * items.length)] as Item;
  const known = new Map<string, CacheEntry>();
  let revision = 1;
  const change = (): CacheEvent => {
    const state = podOn(pick(NAMESPACES), pick(NAMES), ++revision, pick(NODES), pick(COLORS));
    const previous = known.get(state.key);
    if (previous !== undefined && random.float() < 0.3) {
      known.delete(state.key);
      return { type: "DELETED", revision, entry: previous.deletedAt(revision), previous };
    }
    known.set(state.key, state);
    return { type: previous === undefined ? "ADDED" : "MODIFIED", revision, entry: state, previous };
  };
  return Array.from({ length: 100 }, () => Array.from({ length: 1 + Math.floor(random.float() * 8) }, change));
}

const told = ({ type, entry }: FilteredEvent): string => `${type} ${entry.key} ${entry.revision}`;

test("whoever watches is told what his filter lets through, and nothing is told to others", () => {
  const index = new WatchIndex();
  const watches = filters().map((filter) => ({ filter, seen: [] as string[], wanted: [] as string[] }));
  for (const { filter, seen } of watches) {
    const onEvents = (events: readonly FilteredEvent[]): void => {
      expect(events).not.toEqual([]);
      seen.push(...events.map(told));
    };
    index.add(filter, { onEvents, onEnd: () => undefined });
  }
  for (const events of batches()) {
    index.deliver(events, events.at(-1)?.revision ?? 0);
    for (const { filter, wanted } of watches) {
      for (const event of events) {
        const seen = filterEvent(filter, event);
        if (seen !== undefined) wanted.push(told(seen));
      }
    }
  }
  for (const { seen, wanted } of watches) expect(seen).toEqual(wanted);
  expect(watches.filter(({ seen }) => seen.length > 0).length).toBeGreaterThan(watches.length / 2);
});

test("an object is not asked for what only watches that have gone wanted to know", () => {
  const index = new WatchIndex();
  let asked = 0;
  const of = (entry: CacheEntry): string => {
    asked++;
    return nodeOf(entry);
  };
  const counted: Attribute = { id: "spec.nodeName", of };
  const consumer = { onEvents: () => undefined, onEnd: () => undefined };
  const leave = ["n1", "n2"].map((value) =>
    index.add({ namespace: "", name: "", id: value, matches: () => true, mark: { attribute: counted, value } }, consumer),
  );
  const event: CacheEvent = { type: "ADDED", revision: 2, entry: podOn("a", "x", 2, "n3", "red"), previous: undefined };
  index.deliver([event], 2);
  expect([asked, index.watchCount]).toEqual([1, 2]);
  for (const go of leave) go();
  index.deliver([event], 2);
  expect([asked, index.watchCount, index.empty]).toEqual([1, 0, true]);
});

test("watches of an index that was cleared leave without touching those that came since", () => {
  const index = new WatchIndex();
  const filter: ObjectFilter = { namespace: "a", name: "x", id: "a/x" };
  const consumer = { onEvents: () => undefined, onEnd: () => undefined };
  const leave = index.add(filter, consumer);
  expect(index.clear()).toEqual([consumer]);
  index.add(filter, consumer);
  leave();
  expect(index.watchCount).toBe(1);
});
