import { afterEach, expect, test } from "vitest";
import type { Service } from "#api/generated/core/v1.ts";
import type { IPAddress } from "#api/generated/networking/v1.ts";
import { realClock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { startKubeApiServer } from "#kube-apiserver/server.ts";
import { type KVStore, StorageError } from "#storage/kv.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { type Answered, asker } from "../support/ask.ts";
import { serverOptions } from "../support/server-options.ts";

const services = { group: "", version: "v1", resource: "services" };
const addresses = { group: "networking.k8s.io", version: "v1", resource: "ipaddresses" };
const SERVICE_KEY = "/registry/services/specs/default/kubernetes";
const ADDRESS = "10.96.0.1";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function memoryStore(): KVStore {
  const kv = new MemoryStore({ clock: realClock });
  closing.push(() => kv.close());
  return kv;
}

async function start(kv: KVStore): Promise<{ readonly server: { stop(): Promise<void> }; readonly client: Client }> {
  const server = await startKubeApiServer(await serverOptions(kv));
  closing.push(() => server.stop());
  await server.ready;
  return { server, client: server.inProcessClient({ name: "admin", uid: "", groups: ["system:masters"], extra: {} }) };
}

/** The store with another way to write, and with what is `more`. */
function withTxn<M extends object>(kv: KVStore, txn: KVStore["txn"], more: M): KVStore & M {
  return new Proxy(kv, {
    get(target, name) {
      if (name === "txn") return txn;
      if (name in more) return Reflect.get(more, name);
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  }) as KVStore & M;
}

/** A store that fails the first write of a key: before it is made, or so that only its answer is lost. */
function failingOnce(kv: KVStore, key: string, isMade: boolean): KVStore & { readonly failures: number } {
  let failures = 0;
  const txn: KVStore["txn"] = async (request) => {
    if (request.key !== key || failures > 0) return kv.txn(request);
    failures++;
    if (isMade) await kv.txn(request);
    throw new StorageError("Unavailable", "etcdserver: request timed out");
  };
  return withTxn(kv, txn, {
    get failures() {
      return failures;
    },
  });
}

test.each([
  { key: SERVICE_KEY, isMade: false },
  { key: SERVICE_KEY, isMade: true },
  { key: `/registry/ipaddresses/${ADDRESS}`, isMade: true },
  { key: "/registry/namespaces/kube-public", isMade: true },
  { key: "/registry/priorityclasses/system-node-critical", isMade: false },
  { key: "/registry/flowschemas/probes", isMade: true },
])("a server comes to be ready, though the store fails a write of $key (made: $isMade)", async ({ key, isMade }) => {
  const kv = failingOnce(memoryStore(), key, isMade);
  const { client } = await start(kv);
  expect(kv.failures).toBe(1);
  const { spec } = await client.get<Service>(services, "default", "kubernetes");
  expect(spec?.clusterIP).toBe(ADDRESS);
});

test("a server that ended while it made the Service of API servers does not keep the next ones from starting", async () => {
  const kv = memoryStore();
  const { server } = await start(kv);
  await server.stop();
  const { kv: stored } = await kv.get(SERVICE_KEY);
  expect(await kv.txn({ key: SERVICE_KEY, expectedModRevision: stored?.modRevision ?? 0 })).toMatchObject({ succeeded: true });
  // Its address is still taken.
  expect((await kv.get(`/registry/ipaddresses/${ADDRESS}`)).kv).toBeDefined();
  const { client } = await start(kv);
  expect((await client.get<Service>(services, "default", "kubernetes")).spec?.clusterIP).toBe(ADDRESS);
  const { spec } = await client.get<IPAddress>(addresses, "", ADDRESS);
  expect(spec?.parentRef).toEqual({ resource: "services", namespace: "default", name: "kubernetes" });
});

test("an address of another Service is not taken over, whether that is there or not", async () => {
  const { client } = await start(memoryStore());
  const taken = "10.96.0.77";
  const address: IPAddress = {
    apiVersion: "networking.k8s.io/v1",
    kind: "IPAddress",
    metadata: { name: taken },
    spec: { parentRef: { resource: "services", namespace: "default", name: "other" } },
  };
  await client.create(addresses, "", address);
  const service: Service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "mine" },
    spec: { clusterIP: taken, ports: [{ port: 80 }] },
  };
  await expect(client.create(services, "default", service)).rejects.toMatchObject({ code: 422 });
});

/** A store that makes a key only when it is told to. */
function holding(kv: KVStore, key: string, until: Promise<unknown>): KVStore {
  const txn: KVStore["txn"] = async (request) => {
    if (request.key === key) await until;
    return kv.txn(request);
  };
  return withTxn(kv, txn, {});
}

test("who comes before a new cluster's first objects are there is told that it is not ready, and waits for them", async () => {
  let release = (): void => {};
  const kv = holding(memoryStore(), SERVICE_KEY, new Promise<void>((resolve) => (release = resolve)));
  const early: Answered[] = [];
  const options = await serverOptions(kv);
  const { assets } = options;
  const server = await startKubeApiServer({
    ...options,
    onListening: async (url) => {
      const ask = asker({ url, credentials: { ca: assets.ca.cert, ...assets.admin } } as Parameters<typeof asker>[0]);
      let isAnswered = false;
      const service = ask("GET", "/api/v1/namespaces/default/services/kubernetes").finally(() => {
        isAnswered = true;
      });
      // Over connections of their own, and later: an answer that did not wait would be there before theirs.
      early.push(await ask("GET", "/readyz"), await ask("GET", "/version"));
      expect(isAnswered).toBe(false);
      release();
      early.push(await service);
    },
  });
  closing.push(() => server.stop());
  expect(early.map(({ status }) => status)).toEqual([500, 200, 200]);
  await server.ready;
});
