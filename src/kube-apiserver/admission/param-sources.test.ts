import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { createStores } from "#apiserver/registry/store/store-registry.ts";
import { DEFAULT_COLUMNS } from "#apiserver/table/table.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { loopbackContext } from "../loopback.ts";
import { paramSources } from "./param-sources.ts";

const definitionOf = (group: string, scope: "Namespaced" | "Cluster"): ResourceDefinition => ({
  group,
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  singular: "configmap",
  scope,
  storagePrefix: `${group}configmaps`,
  columns: DEFAULT_COLUMNS,
  strategy: {},
});
const schema: typeof schemaFor = (_group, version, kind) => schemaFor("", version, kind);

test("a kind is found by its group and version as long as it is served", async () => {
  const kv = new MemoryStore({ clock: realClock });
  const modules = { clock: realClock, random: seededRandom(1), schemaFor: schema, admission: [] };
  const resources = { stored: [definitionOf("", "Namespaced")], virtual: [] };
  const stores = await createStores({ ...modules, kv, resources: resources as never });
  const sources = paramSources(() => stores);
  const metadata = { name: "c", namespace: "ns" };
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { a: "b" } } as ApiObject;
  await stores.of("", "configmaps").create(object, loopbackContext());

  const found = sources({ apiVersion: "v1", kind: "ConfigMap" });
  expect(found?.namespaced).toBe(true);
  expect(found?.get("ns", "c")).toMatchObject({ data: { a: "b" } });
  expect(found?.list("ns")).toHaveLength(1);
  expect(sources({ apiVersion: "v2", kind: "ConfigMap" })).toBeUndefined();
  expect(sources({ apiVersion: "v1", kind: "Secret" })).toBeUndefined();

  const other = { apiVersion: "x.test/v1", kind: "ConfigMap" };
  expect(sources(other)).toBeUndefined();
  await stores.add(definitionOf("x.test", "Cluster"), schema);
  expect(sources(other)?.namespaced).toBe(false);
  stores.remove("x.test", "configmaps");
  expect(sources(other)).toBeUndefined();
});
