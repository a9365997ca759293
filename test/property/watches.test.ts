import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CoreV1Api, KubeConfig, makeInformer, type V1ConfigMap } from "@kubernetes/client-node";
import { describe, expect, test } from "vitest";
import type { ConfigMap } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom, systemRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { createRestClient } from "#client/rest-client.ts";
import { silentLogger } from "#component-base/logging.ts";
import { type ControlPlane, startControlPlane } from "#envtest/control-plane.ts";
import { type ClusterAssets, ensureClusterAssets } from "#pki/cluster-assets.ts";
import { renderKubeconfig } from "#pki/kubeconfig.ts";
import { EtcdStore } from "#storage/etcd/etcd-store.ts";
import type { KVStore } from "#storage/kv.ts";
import { openLmdbStore } from "#storage/lmdb/open-lmdb-store.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { ETCD_REASON, Etcd, hasEtcd } from "../support/etcd.ts";
import { NAMESPACES, type Run, reader, writer } from "./watch-client.ts";
import { History, shown } from "./watch-history.ts";

const WRITERS = 3;
const READERS = 8;
const PHASE_MS = 1500 * Number(process.env.PROPERTY_RUNS ?? "1");
/** How much longer on a machine that has little time for it. */
const BUSY_MS = 20_000;
/** Changes in a phase, at least. */
const CHANGES_MIN = 25;
/** What is to be met at least so often, for all phases together. */
const MET = ["lists", "pages", "watches", "events", "bookmarks"] as const;
const MET_MIN = 5;
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 100_000);

interface OpenStore {
  readonly kv: KVStore;
  readonly close: () => Promise<void>;
}

const stores: readonly (readonly [string, boolean, () => Promise<OpenStore>])[] = [
  [
    "memory",
    true,
    async () => {
      const kv = new MemoryStore({ clock: realClock });
      return { kv, close: () => kv.close() };
    },
  ],
  [
    "lmdb",
    true,
    async () => {
      const dir = mkdtempSync(join(tmpdir(), "kybern-watches-"));
      const kv = await openLmdbStore({ dir, clock: realClock });
      return { kv, close: () => kv.close().then(() => rmSync(dir, { recursive: true, force: true })) };
    },
  ],
  [
    `etcd (${ETCD_REASON})`,
    hasEtcd,
    async () => {
      const etcd = await Etcd.start();
      const kv = new EtcdStore({ urls: etcd.urls, tls: {}, clock: realClock, random: systemRandom });
      return { kv, close: () => kv.close().then(() => etcd[Symbol.asyncDispose]()) };
    },
  ],
];

const serviceClusterIpRange = "10.96.0.0/12";
let assets: Promise<ClusterAssets> | undefined;

async function startServer(kv: KVStore): Promise<ControlPlane> {
  assets ??= ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange });
  return startControlPlane({
    kv,
    clock: realClock,
    random: systemRandom,
    logger: silentLogger,
    assets: await assets,
    bindAddress: "127.0.0.1",
    port: 0,
    serviceClusterIpRange,
    authentication: { anonymousAuth: false },
    components: [],
    nodes: 0,
  });
}

/** Reads and writes for a while with one server, inside the process and over HTTP. */
async function phase(plane: ControlPlane, run: Run): Promise<void> {
  const { ca, admin } = await (assets as Promise<ClusterAssets>);
  const { url } = plane.apiServer;
  const remote = createRestClient({
    server: url,
    ca: ca.cert,
    cert: admin.cert,
    key: admin.key,
    userAgent: "test/1",
    clock: realClock,
  });
  const local = plane.clientFor("kubernetes-admin", ["system:masters"]);
  const clients: readonly Client[] = [local, remote];
  const of = (i: number): Client => clients[i % clients.length] as Client;
  try {
    await Promise.all([
      ...Array.from({ length: WRITERS }, (_, i) => writer(of(i), run, i)),
      ...Array.from({ length: READERS }, (_, i) => reader(of(i), run)),
    ]);
  } finally {
    remote.close();
  }
}

describe.each(stores)("on %s", (_name, isThere, open) => {
  test.skipIf(!isThere)(`lists and watches tell what the store tells, and another server goes on (seed ${SEED})`, async () => {
    const { kv, close } = await open();
    const controller = new AbortController();
    let plane = await startServer(kv);
    try {
      const client = plane.clientFor("kubernetes-admin", ["system:masters"]);
      for (const name of NAMESPACES)
        await client.create({ group: "", version: "v1", resource: "namespaces" }, "", { metadata: { name } });
      const history = new History(kv, controller.signal);
      const counts = { lists: 0, pages: 0, watches: 0, events: 0, bookmarks: 0, expired: 0, ended: 0 };
      for (let i = 0; i < 2; i++) {
        const end = realClock.now() + PHASE_MS;
        const hasEnough = (): boolean => {
          return history.changes.length > CHANGES_MIN * (i + 1) && (i === 0 || MET.every((what) => counts[what] > MET_MIN));
        };
        await phase(plane, {
          history,
          random: seededRandom(SEED + i),
          done: () => realClock.now() >= end && (hasEnough() || realClock.now() >= end + BUSY_MS),
          acknowledged: 0,
          counts,
        });
        await plane.stop();
        if (i === 0) plane = await startServer(kv);
      }
      expect(history.changes.length).toBeGreaterThan(2 * CHANGES_MIN);
      for (const what of MET) expect(counts[what], what).toBeGreaterThan(MET_MIN);
    } finally {
      controller.abort();
      await plane.stop();
      await close();
    }
  });
});

test(`the informer of @kubernetes/client-node comes to what is there (seed ${SEED})`, async () => {
  const kv = new MemoryStore({ clock: realClock });
  const plane = await startServer(kv);
  const controller = new AbortController();
  const { ca, admin } = await (assets as Promise<ClusterAssets>);
  const config = new KubeConfig();
  config.loadFromString(
    renderKubeconfig({ server: plane.apiServer.url, user: "admin", ca: ca.cert, cert: admin.cert, key: admin.key }),
  );
  const core = config.makeApiClient(CoreV1Api);
  const informer = makeInformer<V1ConfigMap>(config, "/api/v1/configmaps", () => core.listConfigMapForAllNamespaces());
  try {
    const client = plane.clientFor("kubernetes-admin", ["system:masters"]);
    for (const name of NAMESPACES)
      await client.create({ group: "", version: "v1", resource: "namespaces" }, "", { metadata: { name } });
    const history = new History(kv, controller.signal);
    const versions = new Map<string, number[]>();
    const note = (object: V1ConfigMap): void => {
      const key = `${object.metadata?.namespace}/${object.metadata?.name}`;
      versions.set(key, [...(versions.get(key) ?? []), Number(object.metadata?.resourceVersion)]);
    };
    for (const event of ["add", "update", "delete"] as const) informer.on(event, note);
    await informer.start();
    const end = realClock.now() + PHASE_MS;
    const counts = { lists: 0, pages: 0, watches: 0, events: 0, bookmarks: 0, expired: 0, ended: 0 };
    const run: Run = { history, random: seededRandom(SEED), done: () => realClock.now() >= end, acknowledged: 0, counts };
    await Promise.all([0, 1, 2].map((id) => writer(client, run, id)));
    const everything = { namespace: "", labelSelector: "", fieldSelector: "" };
    const all = (): string[] => history.stateAt(Number.MAX_SAFE_INTEGER, everything);
    const known = (): string[] =>
      informer
        .list()
        .map((object) => shown(object as unknown as ConfigMap))
        .sort();
    await expect.poll(known, { timeout: 10_000 }).toEqual(all().sort());
    for (const seen of versions.values()) expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    const told = [...versions.values()].flat().length;
    expect(told).toBe(history.changes.length);
  } finally {
    await informer.stop();
    controller.abort();
    await plane.stop();
    await kv.close();
  }
});
