import type { AttachedLease, KVStore } from "../kv.ts";

/** Leases of the target in place of the source's, made when the first key of each is copied. */
export class CopiedLeases {
  readonly #source: KVStore;
  readonly #target: KVStore;
  readonly #granted = new Map<AttachedLease, Promise<number>>();
  #byKey: Promise<ReadonlyMap<string, AttachedLease>> | undefined;

  constructor(source: KVStore, target: KVStore) {
    this.#source = source;
    this.#target = target;
  }

  /** The lease for a key that has one in the source, with the time that is left there; undefined when that has ended. */
  async leaseOf(key: string): Promise<number | undefined> {
    this.#byKey ??= this.#load();
    const lease = (await this.#byKey).get(key);
    if (lease === undefined) return undefined;
    let granted = this.#granted.get(lease);
    if (granted === undefined) {
      granted = this.#target.grantLease(Math.max(1, Math.ceil(lease.remainingSeconds)));
      this.#granted.set(lease, granted);
    }
    return granted;
  }

  async #load(): Promise<ReadonlyMap<string, AttachedLease>> {
    const leases = (await this.#source.leases?.()) ?? [];
    return new Map(leases.flatMap((lease) => lease.keys.map((key) => [key, lease] as const)));
  }
}
