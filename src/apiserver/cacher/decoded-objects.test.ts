import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { encodeObject } from "../serializer.ts";
import type { CacheEntry } from "./cache-entry.ts";
import { DECODED_OBJECTS_MAX } from "./decoded-objects.ts";
import { ResourceCache } from "./resource-cache.ts";

const PREFIX = "/registry/events/";

function written(cache: ResourceCache, name: string, revision: number): CacheEntry {
  const object: ApiObject = { apiVersion: "v1", kind: "Event", metadata: { name, namespace: "ns" } };
  const encoded = encodeObject(object);
  const entry = cache.entryOf(`${PREFIX}ns/${name}`, revision, encoded.bytes, { encoded, object });
  cache.apply([{ key: entry.key, revision, entry }]);
  return entry;
}

test.each([
  ["all objects stay decoded", false, DECODED_OBJECTS_MAX + 500],
  ["the last ones do, where few are read", true, DECODED_OBJECTS_MAX],
])("%s", (_, readSeldom, expected) => {
  const cache = new ResourceCache(PREFIX);
  if (readSeldom) cache.readSeldom();
  const entries = Array.from({ length: DECODED_OBJECTS_MAX + 500 }, (_, i) => written(cache, `e-${i}`, i + 1));
  expect(entries.filter(({ isDecoded }) => isDecoded)).toHaveLength(expected);
});

test("what is read of the others says the same, and is let go of in its turn", () => {
  const cache = new ResourceCache(PREFIX);
  cache.readSeldom();
  const entries = Array.from({ length: 3 * DECODED_OBJECTS_MAX }, (_, i) => written(cache, `e-${i}`, i + 1));
  for (const entry of entries)
    expect(entry.object.metadata).toMatchObject({ name: entry.name, resourceVersion: String(entry.revision) });
  const decoded = entries.filter(({ isDecoded }) => isDecoded);
  expect(decoded).toEqual(entries.slice(-DECODED_OBJECTS_MAX));
});
