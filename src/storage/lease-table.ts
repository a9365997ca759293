import type { Clock, Timer } from "#base/clock.ts";
import { type AttachedLease, StorageError } from "./kv.ts";

interface Lease {
  readonly ttlSeconds: number;
  readonly keys: Set<string>;
  /** By the clock, in milliseconds. */
  endsAt: number;
  timer: Timer;
}

/** The live leases of a store: their timers and the keys attached to each. */
export class LeaseTable {
  readonly #clock: Clock;
  readonly #onExpire: (id: number) => void;
  readonly #leases = new Map<number, Lease>();
  #lastId = 0;

  constructor(options: { clock: Clock; onExpire: (id: number) => void }) {
    this.#clock = options.clock;
    this.#onExpire = options.onExpire;
  }

  /** An id that no lease of this table has had. */
  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  add(id: number, ttlSeconds: number): void {
    this.#lastId = Math.max(this.#lastId, id);
    this.#leases.set(id, { ttlSeconds, keys: new Set(), endsAt: this.#end(ttlSeconds), timer: this.#start(id, ttlSeconds) });
  }

  keepAlive(id: number): void {
    const lease = this.#require(id);
    lease.timer.clear();
    lease.timer = this.#start(id, lease.ttlSeconds);
    lease.endsAt = this.#end(lease.ttlSeconds);
  }

  /** Forgets the lease and returns the keys that were attached to it. */
  remove(id: number): readonly string[] {
    const lease = this.#require(id);
    lease.timer.clear();
    this.#leases.delete(id);
    return [...lease.keys];
  }

  has(id: number): boolean {
    return this.#leases.has(id);
  }

  /** Moves a key from one lease to another; 0 is none. */
  attach(key: string, from: number, to: number): void {
    if (from === to) return;
    if (from !== 0) this.#leases.get(from)?.keys.delete(key);
    if (to !== 0) this.#leases.get(to)?.keys.add(key);
  }

  /** All leases, with the time that each has left. */
  all(): readonly AttachedLease[] {
    const now = this.#clock.elapsed();
    return [...this.#leases.values()].map(({ keys, endsAt }) => ({ remainingSeconds: (endsAt - now) / 1000, keys: [...keys] }));
  }

  clear(): void {
    for (const lease of this.#leases.values()) lease.timer.clear();
    this.#leases.clear();
  }

  #end(ttlSeconds: number): number {
    return this.#clock.elapsed() + ttlSeconds * 1000;
  }

  #start(id: number, ttlSeconds: number): Timer {
    return this.#clock.setTimeout(() => this.#onExpire(id), ttlSeconds * 1000, { unref: true });
  }

  #require(id: number): Lease {
    const lease = this.#leases.get(id);
    if (lease === undefined) throw new StorageError("LeaseNotFound", "requested lease not found");
    return lease;
  }
}
