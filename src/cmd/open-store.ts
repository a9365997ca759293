import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { ParsedFlags } from "#component-base/flags.ts";
import type { EtcdEndpoints } from "#storage/etcd/etcd-client.ts";
import type { KVStore } from "#storage/kv.ts";
import { etcdKeyPrefix, etcdTls, etcdUrls } from "./etcd-flags.ts";
import type { upFlags } from "./up-flags.ts";

/** Upstream's keys, as the rest of the program knows them. */
const REGISTRY = "/registry/";

/** Opens what the flags name: etcd, or else the embedded store in the data directory. Each is loaded only where it is used. */
export async function openStore(flags: ParsedFlags<typeof upFlags>, clock: Clock): Promise<KVStore> {
  if (flags["etcd-servers"].length === 0) return openEmbedded(flags["data-dir"], clock);
  const urls = etcdUrls("etcd-servers", flags["etcd-servers"]);
  const store = await openEtcd({ urls, tls: etcdTls(flags), prefix: flags["etcd-prefix"] }, clock);
  if (flags["from-etcd-snapshot"] === "") return store;
  const { ReadOnlyStore } = await import("#storage/read-only-store.ts");
  return new ReadOnlyStore(store);
}

/** Opens the embedded store of a data directory, making it if needed. */
export async function openEmbedded(dataDir: string, clock: Clock): Promise<KVStore> {
  const { openLmdbStore } = await import("#storage/lmdb/lmdb-store.ts");
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
