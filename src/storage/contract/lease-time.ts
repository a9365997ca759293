import type { ManualClock } from "#base/manual-clock.ts";

/** How time passes for a store's leases. */
export interface LeaseTime {
  readonly ttlSeconds: number;
  /** Lets nine tenths of the TTL pass: a lease kept alive since the last call lives on. */
  readonly most: (clock: ManualClock) => void | Promise<void>;
  /** Lets the rest pass. */
  readonly rest: (clock: ManualClock) => void | Promise<void>;
}
