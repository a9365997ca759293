import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import { ResourceCache } from "../../cacher/resource-cache.ts";
import type { ObjectFilter } from "../../cacher/watch-group.ts";
import { SelectedState } from "./selected-state.ts";

const PREFIX = "/registry/configmaps/";
/** So large that a few are looked at in one turn. */
const data = "x".repeat(60_000);

function entry(cache: ResourceCache, key: string, revision: number, app: string): CacheEntry {
  const [namespace, name] = key.split("/") as [string, string];
  const object: ApiObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, labels: { app } }, data };
  return cache.entryOf(`${PREFIX}${key}`, revision, Buffer.from(JSON.stringify(object)));
}

function change(cache: ResourceCache, key: string, revision: number, app: string | undefined): void {
  const changed = app === undefined ? undefined : entry(cache, key, revision, app);
  cache.apply([{ key: `${PREFIX}${key}`, revision, entry: changed }]);
}

const selecting = (namespace: string): ObjectFilter => ({
  namespace,
  name: "",
  id: "web",
  matches: ({ object }) => object.metadata.labels?.app === "web",
});

function filled(): ResourceCache {
  const cache = new ResourceCache(PREFIX);
  const keys = ["a/1", "a/2", "a/3", "a/4", "b/1"];
  cache.load(
    keys.map((key, i) => entry(cache, key, i + 1, key === "a/2" ? "db" : "web")),
    keys.length,
  );
  return cache;
}

const keysOf = (state: SelectedState): string[] => state.now().map(({ key }) => key.slice(PREFIX.length));

test("has what the selector and the namespace let through, in the order of lists", async () => {
  expect(keysOf(await SelectedState.of(filled(), selecting("a")))).toEqual(["a/1", "a/3", "a/4"]);
  expect(keysOf(await SelectedState.of(filled(), selecting("")))).toEqual(["a/1", "a/3", "a/4", "b/1"]);
});

test("follows what changes while objects are looked at, and until it is asked", async () => {
  const cache = filled();
  const looking = SelectedState.of(cache, selecting("a"));
  expect(cache.range(cache.tree, PREFIX).filter(({ isDecoded }) => isDecoded).length).toBeLessThan(5);
  change(cache, "a/1", 6, undefined);
  change(cache, "a/4", 7, "db");
  const state = await looking;
  change(cache, "a/2", 8, "web");
  change(cache, "a/22", 9, "web");
  change(cache, "b/2", 10, "web");
  expect(keysOf(state)).toEqual(["a/2", "a/22", "a/3"]);
  expect(state.now().map(({ revision }) => revision)).toEqual([8, 9, 3]);
});
