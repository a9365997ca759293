import { readFileSync } from "node:fs";
import { loadAll } from "js-yaml";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConfigMap, Secret } from "#api/generated/core/v1.ts";
import { type ApiObject, parseGroupVersion } from "#apimachinery/meta/api-object.ts";
import { decodeProtobuf } from "#apimachinery/protobuf/decode.ts";
import { encodeMessage } from "#apimachinery/protobuf/encode.ts";
import { inEnvelope } from "#apimachinery/protobuf/envelope.ts";
import { normalizeObject } from "#apimachinery/schema/normalize.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { StorageMediaType } from "#apiserver/registry/store/storage-settings.ts";
import { assert } from "#base/assert.ts";
import type { Client } from "#client/client.ts";
import { startKubeApiServer } from "#kube-apiserver/server.ts";
import type { KubeApiServer } from "#kube-apiserver/server-options.ts";
import type { KVStore } from "#storage/kv.ts";
import { certificateRequest } from "../support/certificate-request.ts";
import { serverOptions } from "../support/server-options.ts";
import { openTestStore } from "../support/store.ts";
import { upstreamKey } from "../support/upstream-keys.ts";

const PROTOBUF = "application/vnd.kubernetes.protobuf";
const JSON_TYPE = "application/json";
const manifest = readFileSync(new URL("../e2e/testdata/each-kind.yaml", import.meta.url), "utf8");
const configMaps = { group: "", version: "v1", resource: "configmaps" };
const definitions = { group: "apiextensions.k8s.io", version: "v1", resource: "customresourcedefinitions" };

describe("objects are stored as protobuf (--storage-media-type)", () => {
  let kv: KVStore;
  let servers: KubeApiServer[];
  beforeEach(async () => {
    kv = await openTestStore();
    servers = [];
  });
  afterEach(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await kv.close();
  });

  const serve = async (mediaType: StorageMediaType): Promise<Client> => {
    const server = await startKubeApiServer({ ...(await serverOptions(kv)), storage: { mediaType } });
    servers.push(server);
    await server.ready;
    return server.inProcessClient({ name: "admin", uid: "", groups: ["system:masters"], extra: {} });
  };
  const storedAt = async (key: string): Promise<Buffer> => Buffer.from((await kv.get(`/registry/${key}`)).kv?.value ?? []);
  /** An object as it is read, and the bytes of this very version: controllers may write one in between. */
  const asStored = async (key: string, get: () => Promise<ApiObject>): Promise<{ read: ApiObject; stored: Buffer }> => {
    for (;;) {
      const read = await get();
      const { kv: found } = await kv.get(key);
      if (`${found?.modRevision}` === read.metadata.resourceVersion) return { read, stored: Buffer.from(found?.value ?? []) };
    }
  };
  const configMap = (name: string): ConfigMap => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "default" },
    data: { a: "ä" },
  });

  test("built-in kinds in upstream's envelope and without their resourceVersion, custom resources as JSON", async () => {
    const client = await serve(PROTOBUF);
    const made = await client.create<ConfigMap>(configMaps, "default", configMap("m"));
    const stored = await storedAt("configmaps/default/m");
    expect(stored.subarray(0, 4).toString("latin1")).toBe("k8s\0");
    const { resourceVersion: _, ...metadata } = made.metadata;
    expect(decodeProtobuf(stored, schemaFor)).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", data: { a: "ä" }, metadata });
    const definition = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "widgets.example.org" },
      spec: {
        group: "example.org",
        scope: "Namespaced",
        names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
      },
    } as ApiObject;
    await client.create(definitions, "", definition);
    const widgets = { group: "example.org", version: "v1", resource: "widgets" };
    const widget = { apiVersion: "example.org/v1", kind: "Widget", metadata: { name: "w", namespace: "default" } };
    await expect.poll(() => client.create(widgets, "default", widget).catch(() => undefined)).toBeDefined();
    const values = await kv.list("/registry/");
    const json = values.kvs.filter(({ value }) => value[0] === 0x7b).map(({ key }) => key);
    // Upstream's own programs read these two in either encoding.
    const others = /^\/registry\/(masterleases|ranges)\//;
    expect(json.filter((key) => !others.test(key))).toEqual(["/registry/example.org/widgets/default/w"]);
  });

  test("an object of each kind lies under upstream's key, as upstream's message", async () => {
    const client = await serve(PROTOBUF);
    const [server] = servers;
    assert(server !== undefined, "the server runs");
    const definitions = [...server.stores.all()].map(({ definition }) => definition);
    const { request } = certificateRequest({ commonName: "each" });
    const objects = loadAll(manifest.replace("REQUEST", request)) as ApiObject[];
    // What a controller would make.
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: "each" } };
    objects.splice(1, 0, account);
    for (const object of objects) {
      const { group, version } = parseGroupVersion(object.apiVersion ?? "");
      const definition = definitions.find(({ kind }) => kind === object.kind);
      assert(definition !== undefined, `${object.kind} is stored`);
      const { plural } = definition;
      const { namespace = "", name = "" } = object.metadata;
      await client.create({ group, version, resource: plural }, namespace, object);
      const { group: storedGroup, version: storedVersion } = definition;
      const id = { group: storedGroup, version: storedVersion, resource: plural };
      const key = upstreamKey(plural, namespace, name);
      const { read, stored } = await asStored(key, () => client.get<ApiObject>(id, namespace, name));
      const { resourceVersion: _, ...metadata } = read.metadata;
      expect(stored.subarray(0, 4).toString("latin1"), key).toBe("k8s\0");
      const schema = schemaFor(storedGroup, storedVersion, definition.kind);
      assert(schema !== undefined, `${definition.kind} has a type`);
      const decoded = normalizeObject(schema, decodeProtobuf(stored, () => schema) as unknown as ApiObject);
      expect(decoded, key).toEqual({ ...read, metadata });
    }
    expect(new Set(objects.map(({ kind }) => kind)).size).toBeGreaterThan(55);
  });

  test("a store of both is read by servers of either, and a write that changes nothing brings an object to the server's own", async () => {
    const [inProtobuf, inJson] = [await serve(PROTOBUF), await serve(JSON_TYPE)];
    const head = async (name: string): Promise<string> =>
      (await storedAt(`configmaps/default/${name}`)).subarray(0, 1).toString("latin1");
    const watching = new AbortController();
    const seen: string[] = [];
    const { metadata } = await inJson.list(configMaps, "default");
    const watched = (async () => {
      const options = { resourceVersion: metadata.resourceVersion ?? "", signal: watching.signal };
      for await (const batch of inJson.watch<ConfigMap>(configMaps, "default", options)) {
        seen.push(...batch.map(({ type, object }) => `${type} ${object.metadata.name} ${object.data?.a}`));
        if (seen.length === 4) return;
      }
    })();
    const made = await inProtobuf.create<ConfigMap>(configMaps, "default", configMap("p"));
    await inJson.create(configMaps, "default", configMap("j"));
    expect([await head("p"), await head("j")]).toEqual(["k", "{"]);
    for (const client of [inProtobuf, inJson])
      expect((await client.list<ConfigMap>(configMaps, "default")).items.flatMap(({ data }) => data?.a ?? [])).toEqual([
        "ä",
        "ä",
      ]);

    const same = await inProtobuf.update(configMaps, "default", "p", made);
    expect(same.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    const rewritten = await inJson.update(configMaps, "default", "p", made);
    expect(rewritten.metadata.resourceVersion).not.toBe(made.metadata.resourceVersion);
    expect(await head("p")).toBe("{");
    const back = await inProtobuf.update(configMaps, "default", "p", rewritten);
    expect(await head("p")).toBe("k");
    expect({ ...back.metadata, resourceVersion: "" }).toEqual({ ...made.metadata, resourceVersion: "" });
    await watched;
    watching.abort();
    expect(seen).toEqual(["ADDED p ä", "ADDED j ä", "MODIFIED p ä", "MODIFIED p ä"]);
  });

  test("what another server wrote alike is left alone by a write that changes nothing, and what it wrote otherwise is not", async () => {
    const schema = schemaFor("", "v1", "Secret");
    assert(schema !== undefined, "Secrets have a type");
    const first = await serve(PROTOBUF);
    await first.create(configMaps, "default", configMap("own"));
    // Without the type that reading fills in.
    const metadata = { name: "s", namespace: "default", uid: "u", creationTimestamp: "2026-01-02T03:04:05Z" };
    const value = inEnvelope("v1", "Secret", encodeMessage(schema, { metadata }));
    await kv.txn({ key: "/registry/secrets/default/s", expectedModRevision: 0, put: { value } });
    // A server that was not there knows neither object's bytes.
    const second = await serve(PROTOBUF);
    const own = await second.get<ConfigMap>(configMaps, "default", "own");
    expect((await second.update(configMaps, "default", "own", own)).metadata.resourceVersion).toBe(own.metadata.resourceVersion);
    const secrets = { group: "", version: "v1", resource: "secrets" };
    const read = await second.get<Secret>(secrets, "default", "s");
    expect(read.type).toBe("Opaque");
    const written = await second.update(secrets, "default", "s", read);
    expect(written.metadata.resourceVersion).not.toBe(read.metadata.resourceVersion);
    const again = await second.update(secrets, "default", "s", written);
    expect(again.metadata.resourceVersion).toBe(written.metadata.resourceVersion);
  });
});
