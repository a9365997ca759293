import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { EtcdStore } from "#storage/etcd/etcd-store.ts";
import type { KVStore } from "#storage/kv.ts";
import { openLmdbStore } from "#storage/lmdb/open-lmdb-store.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { RebasedStore } from "#storage/rebased-store.ts";
import { Etcd } from "./etcd.ts";
import { SHARED_ETCD, testStore } from "./store-choice.ts";

/** A new and empty store, whose closing leaves nothing. On etcd one that `alone` is, where all revisions are its own, has a member of its own. */
export async function openTestStore(options: { readonly alone?: boolean } = {}): Promise<KVStore> {
  if (testStore === "lmdb") return onLmdb();
  if (testStore === "etcd") return options.alone === true ? onOwnEtcd() : onEtcd(systemRandom.uuid());
  return new MemoryStore({ clock: realClock });
}

/** What `kybern up` on a data directory is given besides, so that it runs on the store that was asked for. */
export function storeFlags(args: readonly string[]): string[] {
  const own = ["--etcd-servers", "--storage-backend", "--from-etcd-snapshot", "--help"];
  if (testStore !== "etcd" || args[0] !== "up" || args.some((arg) => own.some((flag) => arg.startsWith(flag)))) return [];
  // A later start on the same directory finds what the first has left.
  const place = args[args.indexOf("--data-dir") + 1] ?? "";
  const prefix = createHash("sha256").update(place).digest("hex").slice(0, 16);
  return ["--etcd-servers", sharedEtcd().join(","), "--etcd-prefix", `/${prefix}`];
}

async function onLmdb(): Promise<KVStore> {
  const dir = mkdtempSync(join(tmpdir(), "kybern-store-"));
  const store = await openLmdbStore({ dir: join(dir, "store"), clock: realClock });
  return closingAlso(store, async () => rmSync(dir, { recursive: true, force: true }));
}

async function onOwnEtcd(): Promise<KVStore> {
  const etcd = await Etcd.start({ args: ["--unsafe-no-fsync"] });
  return closingAlso(etcdStore(etcd.urls), () => etcd[Symbol.asyncDispose]());
}

function onEtcd(prefix: string): KVStore {
  return new RebasedStore(etcdStore(sharedEtcd()), { outer: "/registry/", inner: `/${prefix}/` });
}

function etcdStore(urls: readonly string[]): EtcdStore {
  return new EtcdStore({ urls, tls: {}, clock: realClock, random: systemRandom });
}

function sharedEtcd(): readonly string[] {
  const urls = process.env[SHARED_ETCD];
  if (urls === undefined) throw new Error(`no etcd was started for this run: ${SHARED_ETCD} is not set`);
  return urls.split(",");
}

function closingAlso(store: KVStore, more: () => Promise<void>): KVStore {
  const close = store.close.bind(store);
  store.close = async () => {
    await close();
    await more();
  };
  return store;
}
