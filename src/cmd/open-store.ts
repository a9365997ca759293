import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { ParsedFlags } from "#component-base/flags.ts";
import type { EtcdEndpoints } from "#storage/etcd/etcd-client.ts";
import type { KVStore } from "#storage/kv.ts";
<<<<<<< /work/main/src/cmd/open-store.ts
import { etcdKeyPrefix, etcdTls, etcdUrls } from "./etcd-flags.ts";
import type { upFlags } from "./up-flags.ts";
=======
import type { etcdFlags } from "./etcd-flags.ts";

type EtcdFlags = ParsedFlags<typeof etcdFlags>;
>>>>>>> src/cmd/open-store.ts

/** Upstream's keys, as the rest of the program knows them. */
const REGISTRY = "/registry/";

/** Opens what the flags name: etcd, or else the embedded store in the data directory. Each is loaded only where it is used. */
<<<<<<< /work/main/src/cmd/open-store.ts
export async function openStore(flags: ParsedFlags<typeof upFlags>, clock: Clock): Promise<KVStore> {
  if (flags["etcd-servers"].length === 0) return openEmbedded(flags["data-dir"], clock);
  const urls = etcdUrls("etcd-servers", flags["etcd-servers"]);
  return openEtcd({ urls, tls: etcdTls(flags), prefix: flags["etcd-prefix"] }, clock);
}

/** Opens the embedded store of a data directory, making it if needed. */
export async function openEmbedded(dataDir: string, clock: Clock): Promise<KVStore> {
=======
export async function openStore(flags: EtcdFlags & { readonly "data-dir": string }, clock: Clock): Promise<KVStore> {
  if (flags["etcd-servers"].length > 0) return openEtcd(flags, clock);
>>>>>>> src/cmd/open-store.ts
  const { openLmdbStore } = await import("#storage/lmdb/lmdb-store.ts");
  return openLmdbStore({ dir: join(dataDir, "store"), clock });
}

/** A cluster's place in an etcd. */
export interface EtcdPlace extends EtcdEndpoints {
  /** As `--etcd-prefix` has it. */
  readonly prefix: string;
}

<<<<<<< /work/main/src/cmd/open-store.ts
/** Opens the store on an etcd that answers; rejects with `Unavailable` where it does not. */
export async function openEtcd(place: EtcdPlace, clock: Clock): Promise<KVStore> {
=======
/** Opens the etcd that the flags name; rejects when it does not answer in time. */
export async function openEtcd(flags: EtcdFlags, clock: Clock): Promise<KVStore> {
  const urls = flags["etcd-servers"].map(endpoint);
  const file = (name: string, path: string): object => (path === "" ? {} : { [name]: path });
  if ((flags["etcd-certfile"] === "") !== (flags["etcd-keyfile"] === ""))
    throw new FlagError("flags --etcd-certfile and --etcd-keyfile are given together");
  const tls = {
    ...file("caFile", flags["etcd-cafile"]),
    ...file("certFile", flags["etcd-certfile"]),
    ...file("keyFile", flags["etcd-keyfile"]),
  };
>>>>>>> src/cmd/open-store.ts
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

<<<<<<< /work/main/src/cmd/open-store.ts
/** What a key is called in the database itself. */
export function databaseKey(flags: ParsedFlags<typeof upFlags>): (key: string) => string {
  const inner = flags["etcd-servers"].length > 0 ? etcdKeyPrefix(flags["etcd-prefix"]) : REGISTRY;
  return (key) => (key.startsWith(REGISTRY) ? `${inner}${key.slice(REGISTRY.length)}` : key);
}
=======
function innerPrefix(flags: EtcdFlags): string {
  const parts = flags["etcd-prefix"].split("/").filter(Boolean);
  return parts.length === 0 ? "/" : `/${parts.join("/")}/`;
}

/** What a key is called in the database itself. */
export function databaseKey(flags: EtcdFlags): (key: string) => string {
  const inner = flags["etcd-servers"].length > 0 ? innerPrefix(flags) : REGISTRY;
  return (key) => (key.startsWith(REGISTRY) ? `${inner}${key.slice(REGISTRY.length)}` : key);
}

/** `https://HOST:PORT` of one of `--etcd-servers`. Throws a {@link FlagError} for what is no such address. */
export function endpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol) || url.hostname === "")
    throw new FlagError(`flag --etcd-servers takes addresses such as https://10.0.0.1:2379, not "${text}"`);
  return url.origin;
}
>>>>>>> src/cmd/open-store.ts
