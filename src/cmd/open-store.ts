import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { nextTurn } from "#base/turn.ts";
import { FlagError, type ParsedFlags } from "#component-base/flags.ts";
import type { EtcdEndpoints } from "#storage/etcd/etcd-client.ts";
import type { KVStore } from "#storage/kv.ts";
import { etcdKeyPrefix, etcdTls, etcdUrls } from "./flags/etcd-flags.ts";
import type { upFlags } from "./up/flags.ts";

/** Upstream's keys, as the rest of the program knows them. */
const REGISTRY = "/registry/";

/** Opens what the flags name: etcd, or else the embedded store in the data directory. Each is loaded only where it is used. */
export async function openStore(flags: ParsedFlags<typeof upFlags>, clock: Clock): Promise<KVStore> {
  const backend = storageBackend(flags);
  if (backend === "memory") return openMemory(clock);
  if (backend === "lmdb") return openEmbedded(flags["data-dir"], clock);
  const urls = etcdUrls("etcd-servers", flags["etcd-servers"]);
  const store = await openEtcd({ urls, tls: etcdTls(flags), prefix: flags["etcd-prefix"] }, clock);
  if (flags["from-etcd-snapshot"] === "") return store;
  const { ReadOnlyStore } = await import("#storage/read-only-store.ts");
  return new ReadOnlyStore(store);
}

/** The stores that `--storage-backend` names. */
const BACKENDS = ["lmdb", "memory", "etcd3"] as const;

/** What `--storage-backend` says or, when it says nothing, what follows from the other flags. Throws {@link FlagError}. */
function storageBackend(flags: ParsedFlags<typeof upFlags>): (typeof BACKENDS)[number] {
  const hasEtcd = flags["etcd-servers"].length > 0;
  const named = flags["storage-backend"];
  if (named === "") return hasEtcd ? "etcd3" : "lmdb";
  const backend = BACKENDS.find((one) => one === named);
  if (backend === undefined) throw new FlagError(`flag --storage-backend takes one of ${BACKENDS.join(", ")}, not "${named}"`);
  if (backend === "etcd3" && !hasEtcd) throw new FlagError("--storage-backend=etcd3 needs --etcd-servers");
  if (backend !== "etcd3" && hasEtcd) throw new FlagError(`--storage-backend=${backend} does not go with --etcd-servers`);
  return backend;
}

async function openMemory(clock: Clock): Promise<KVStore> {
  const { MemoryStore } = await import("#storage/memory/memory-store.ts");
  return new MemoryStore({ clock, nextTurn });
}

/** Opens the embedded store of a data directory, making it if needed. */
export async function openEmbedded(dataDir: string, clock: Clock): Promise<KVStore> {
  const { openLmdbStore } = await import("#storage/lmdb/open-lmdb-store.ts");
  return openLmdbStore({ dir: join(dataDir, "store"), clock });
}

/** A cluster's place in an etcd. */
export interface EtcdPlace extends EtcdEndpoints {
  /** As `--etcd-prefix` has it. */
  readonly prefix: string;
}

/** Opens the store on an etcd that answers; rejects with `Unavailable` where it does not. */
export async function openEtcd(place: EtcdPlace, clock: Clock): Promise<KVStore> {
  const { EtcdStore } = await import("#storage/etcd/etcd-store.ts");
  const store = new EtcdStore({ ...place, clock, random: systemRandom });
  try {
    // Tries longer than a health check: etcd may be starting too.
    await store.currentRevision();
  } catch (error) {
    await store.close();
    throw error;
  }
  const inner = etcdKeyPrefix(place.prefix);
  if (inner === REGISTRY) return store;
  const { RebasedStore } = await import("#storage/rebased-store.ts");
  return new RebasedStore(store, { outer: REGISTRY, inner });
}

/** What a key is called in the database itself. */
export function databaseKey(flags: Pick<ParsedFlags<typeof upFlags>, "etcd-servers" | "etcd-prefix">): (key: string) => string {
  const inner = flags["etcd-servers"].length > 0 ? etcdKeyPrefix(flags["etcd-prefix"]) : REGISTRY;
  return (key) => (key.startsWith(REGISTRY) ? `${inner}${key.slice(REGISTRY.length)}` : key);
}
