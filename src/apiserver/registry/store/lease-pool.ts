import type { Clock } from "#base/clock.ts";
import type { KVStore } from "#storage/kv.ts";

/** Objects that expire at about the same time share a lease, made at most this long apart (upstream's `--lease-reuse-duration-seconds`). */
const LEASE_REUSE_SECONDS = 60;
/** And at most this part of their time apart: none lives for much longer than it should (upstream's `leaseReuseDurationPercent`). */
const LEASE_REUSE_PART = 0.05;
/** Objects on one lease (upstream's `LeaseMaxObjectCount`). */
const LEASE_OBJECTS_MAX = 1000;

interface SharedLease {
  readonly id: Promise<number>;
  readonly ttlSeconds: number;
  readonly reusableUntil: number;
  objects: number;
}

/** Hands out leases for objects with a time to live. */
export class LeasePool {
  readonly #kv: KVStore;
  readonly #clock: Clock;
  readonly #reuseSeconds: number;
  #lease: SharedLease | undefined;

  constructor(kv: KVStore, clock: Clock, reuseSeconds: number = LEASE_REUSE_SECONDS) {
    this.#kv = kv;
    this.#clock = clock;
    this.#reuseSeconds = reuseSeconds;
  }

  /** A lease that lives at least `ttlSeconds`, and not much longer. */
  leaseFor(ttlSeconds: number): Promise<number> {
    const now = this.#clock.elapsed();
    const known = this.#lease;
    if (known?.ttlSeconds === ttlSeconds && now < known.reusableUntil && known.objects < LEASE_OBJECTS_MAX) {
      known.objects++;
      return known.id;
    }
    const reuseSeconds = Math.min(this.#reuseSeconds, Math.floor(ttlSeconds * LEASE_REUSE_PART));
    const id = this.#kv.grantLease(ttlSeconds + reuseSeconds);
    const lease: SharedLease = { id, ttlSeconds, reusableUntil: now + reuseSeconds * 1000, objects: 1 };
    this.#lease = lease;
    // A lease that could not be had is not shared: the next object asks again.
    id.catch(() => {
      if (this.#lease === lease) this.#lease = undefined;
    });
    return id;
  }
}
