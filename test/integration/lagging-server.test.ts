import { afterEach, expect, test } from "vitest";
import type { ConfigMap } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { SharedInformerFactory } from "#client/informer.ts";
import { createRestClient } from "#client/rest-client.ts";
import { startKubeApiServer } from "#kube-apiserver/server.ts";
import { type KVStore, StorageError } from "#storage/kv.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { serverOptions } from "../support/server-options.ts";

const configMaps = { group: "", version: "v1", resource: "configmaps" };
const configMap: ConfigMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } };
/** How much later than others a server is told of changes. */
const LAG_MS = 150;
/** Longer than it takes to connect to it. */
const LONG_LAG_MS = 1_000;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A store that is told of changes later than it could be, as over a bad connection; what it is asked it answers at once. */
function lagging(kv: KVStore, lagMs: number): KVStore {
  return new Proxy(kv, {
    get(target, name) {
      if (name === "features") return { ...target.features, shared: true };
      if (name === "watch") {
        const watch: KVStore["watch"] = (prefix, options) =>
          target.watch(prefix, {
            ...options,
            onEvents: (...told) => void realClock.setTimeout(() => options.onEvents(...told), lagMs, { unref: true }),
          });
        return watch;
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function serve(kv: KVStore): Promise<{ readonly inside: Client; readonly outside: Client }> {
  const options = await serverOptions(kv);
  const { assets } = options;
  const server = await startKubeApiServer(options);
  closing.push(() => server.stop());
  await server.ready;
  const outside = createRestClient({
    server: server.url,
    ca: assets.ca.cert,
    ...assets.admin,
    userAgent: "test",
    clock: realClock,
  });
  closing.push(async () => outside.close());
  return { inside: server.inProcessClient({ name: "admin", uid: "", groups: ["system:masters"], extra: {} }), outside };
}

test("a server that has not heard yet decides nothing by what it knew", async () => {
  const kv = new MemoryStore({ clock: realClock });
  closing.push(() => kv.close());
  const { inside: first } = await serve(kv);
  const { inside: late } = await serve(lagging(kv, LAG_MS));
  await first.create(configMaps, "default", configMap);
  await expect(late.create(configMaps, "default", configMap, { dryRun: true })).rejects.toMatchObject({ code: 409 });
  await first.delete(configMaps, "default", "x");
  // Its cache still has the one that was deleted.
  const made = await late.create<ConfigMap>(configMaps, "default", configMap);
  const changed = await first.update<ConfigMap>(configMaps, "default", "x", { ...made, data: { a: "b" } });
  expect((await late.get<ConfigMap>(configMaps, "default", "x")).data).toEqual({ a: "b" });
  const again = { ...changed, data: { a: "c" } };
  expect((await late.update<ConfigMap>(configMaps, "default", "x", again)).data).toEqual({ a: "c" });
  await first.delete(configMaps, "default", "x");
  await expect(late.get(configMaps, "default", "x")).rejects.toMatchObject({ code: 404 });
  await expect(late.delete(configMaps, "default", "x")).rejects.toMatchObject({ code: 404 });
});

test("who begins to mirror what a server knows, as a controller that takes the lead, is told of all that was done before", async () => {
  const kv = new MemoryStore({ clock: realClock });
  closing.push(() => kv.close());
  let isThere = true;
  const revision = kv.currentRevision.bind(kv);
  kv.currentRevision = async () => {
    if (!isThere) throw new StorageError("Unavailable", "etcdserver: no leader");
    return revision();
  };
  const { inside: first } = await serve(kv);
  const { outside: late } = await serve(lagging(kv, LONG_LAG_MS));
  // It keeps in mind what it has been asked for once.
  await late.list(configMaps, "default");
  await first.create(configMaps, "default", configMap);
  // Neither told by its member of the store nor able to ask it: what it knows is old.
  isThere = false;
  const ended = new AbortController();
  closing.push(async () => ended.abort());
  const onError = (): void => {
    isThere = true;
  };
  const informers = new SharedInformerFactory({ client: late, clock: realClock, onError });
  const { lister } = informers.informer<ConfigMap>(configMaps);
  informers.start(ended.signal);
  await informers.waitForSync();
  expect(lister.get("default", "x")).toBeDefined();
});

test("while the store does not answer clients are told so in its words, and shown what is known if that is enough for them", async () => {
  const kv = new MemoryStore({ clock: realClock });
  closing.push(() => kv.close());
  let isThere = true;
  const revision = kv.currentRevision.bind(kv);
  const shared = lagging(kv, 0);
  kv.currentRevision = async () => {
    if (!isThere) throw new StorageError("Unavailable", "etcdserver: no leader");
    return revision();
  };
  const { outside: client } = await serve(shared);
  const made = await client.create<ConfigMap>(configMaps, "default", configMap);
  isThere = false;
  const failure = { code: 500, message: "etcdserver: no leader" };
  const calls: readonly (() => Promise<unknown>)[] = [
    () => client.get(configMaps, "default", "x"),
    () => client.list(configMaps, "default"),
    () => client.update<ConfigMap>(configMaps, "default", "x", { ...made, data: { a: "b" } }),
    () => client.delete(configMaps, "default", "x"),
  ];
  for (const call of calls) {
    const { status } = await call().then(
      () => expect.unreachable("the store does not answer"),
      (error: { readonly status: object }) => error,
    );
    expect(status).toEqual({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", ...failure });
  }
  const known = await client.list<ConfigMap>(configMaps, "default", { resourceVersion: "0" });
  expect(known.items.map(({ metadata }) => metadata?.name)).toContain("x");
  isThere = true;
  await client.delete(configMaps, "default", "x");
});
