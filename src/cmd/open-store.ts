import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { FlagError, type ParsedFlags } from "#component-base/flags.ts";
import type { KVStore } from "#storage/kv.ts";
import type { upFlags } from "./up-flags.ts";

/** Upstream's keys, as the rest of the program knows them. */
const REGISTRY = "/registry/";

/** Opens what the flags name: etcd, or else the embedded store in the data directory. Each is loaded only where it is used. */
export async function openStore(flags: ParsedFlags<typeof upFlags>, clock: Clock): Promise<KVStore> {
  if (flags["etcd-servers"].length > 0) return openEtcd(flags, clock);
  const { openLmdbStore } = await import("#storage/lmdb/lmdb-store.ts");
  return openLmdbStore({ dir: join(flags["data-dir"], "store"), clock });
}

async function openEtcd(flags: ParsedFlags<typeof upFlags>, clock: Clock): Promise<KVStore> {
  const urls = flags["etcd-servers"].map(endpoint);
  const file = (name: string, path: string): object => (path === "" ? {} : { [name]: path });
  if ((flags["etcd-certfile"] === "") !== (flags["etcd-keyfile"] === ""))
    throw new FlagError("flags --etcd-certfile and --etcd-keyfile are given together");
  const tls = {
    ...file("caFile", flags["etcd-cafile"]),
    ...file("certFile", flags["etcd-certfile"]),
    ...file("keyFile", flags["etcd-keyfile"]),
  };
  const { EtcdStore } = await import("#storage/etcd/etcd-store.ts");
  const store = new EtcdStore({ urls, tls, clock, random: systemRandom });
  try {
    // Tries longer than a health check: etcd may be starting too.
    await store.currentRevision();
  } catch (error) {
    await store.close();
    throw error;
  }
  const inner = innerPrefix(flags);
  if (inner === REGISTRY) return store;
  const { RebasedStore } = await import("#storage/rebased-store.ts");
  return new RebasedStore(store, { outer: REGISTRY, inner });
}

function innerPrefix(flags: ParsedFlags<typeof upFlags>): string {
  const parts = flags["etcd-prefix"].split("/").filter(Boolean);
  return parts.length === 0 ? "/" : `/${parts.join("/")}/`;
}

/** What a key is called in the database itself. */
export function databaseKey(flags: ParsedFlags<typeof upFlags>): (key: string) => string {
  const inner = flags["etcd-servers"].length > 0 ? innerPrefix(flags) : REGISTRY;
  return (key) => (key.startsWith(REGISTRY) ? `${inner}${key.slice(REGISTRY.length)}` : key);
}

function endpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol) || url.hostname === "")
    throw new FlagError(`flag --etcd-servers takes addresses such as https://10.0.0.1:2379, not "${text}"`);
  return url.origin;
}
