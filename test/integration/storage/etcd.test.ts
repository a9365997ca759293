import { describe } from "vitest";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { LeaseTime } from "#storage/contract/lease-time.ts";
import { EtcdStore } from "#storage/etcd/etcd-store.ts";
import { describeStoreContract } from "#storage/kv.contract.ts";
import type { KVStore } from "#storage/kv.ts";
import { ETCD_REASON, Etcd, type EtcdVersion, etcdVersions, hasEtcd } from "../../support/etcd.ts";
import { saySkipped } from "../../support/say-skipped.ts";

/** The largest value with what is around it is more than etcd takes by default. */
const ETCD_ARGS = ["--max-request-bytes", String(2 * 1024 * 1024)];

/** An empty etcd for each store, which goes with it. */
async function emptyStore(version: EtcdVersion, answersProgress?: (version: string) => boolean): Promise<KVStore> {
  const etcd = await Etcd.start({ args: ETCD_ARGS, version });
  const store = new EtcdStore({
    urls: etcd.urls,
    tls: {},
    clock: realClock,
    random: systemRandom,
    ...(answersProgress === undefined ? {} : { answersProgress }),
  });
  const close = store.close.bind(store);
  store.close = async () => {
    await close();
    await etcd[Symbol.asyncDispose]();
  };
  await store.currentRevision();
  return store;
}

/** etcd looks for ended leases twice a second. */
const leaseTime: LeaseTime = {
  ttlSeconds: 2,
  most: () => realClock.sleep(1_500),
  rest: () => realClock.sleep(1_500),
};

saySkipped(hasEtcd, `the storage contract on etcd (${ETCD_REASON})`);

// Older ones answer to questions for progress too early, so that every key is watched there.
describe.each(etcdVersions)("on etcd $version", (version) => {
  describeStoreContract("as it is", () => emptyStore(version), leaseTime);
});
describe.each(etcdVersions.slice(0, 1))("on etcd $version", (version) => {
  describeStoreContract("with requests for progress", () => emptyStore(version, () => true), leaseTime);
});
