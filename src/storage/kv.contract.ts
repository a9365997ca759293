import { afterEach, beforeEach, describe } from "vitest";
import type { Clock } from "#base/clock.ts";
import { ManualClock } from "#base/manual-clock.ts";
import type { LeaseTime } from "./contract/lease-time.ts";
import { describeLeases } from "./contract/leases.contract.ts";
import { describeLimits } from "./contract/limits.contract.ts";
import { describeReads } from "./contract/reads.contract.ts";
import { type StoreUnderTest, storeUnderTest } from "./contract/store-under-test.ts";
import { describeWatches } from "./contract/watches.contract.ts";
import { describeWrites } from "./contract/writes.contract.ts";
import type { KVStore } from "./kv.ts";

const MANUAL_LEASE_TIME: LeaseTime = {
  ttlSeconds: 10,
  most: (clock) => clock.advance(9_000),
  rest: (clock) => clock.advance(1_000),
};

/**
 * What every store must do. `factory` makes an empty store whose leases end by the given clock; where they end by another,
 * `leaseTime` says how to wait for it.
 */
export function describeStoreContract(
  name: string,
  factory: (clock: Clock) => Promise<KVStore>,
  leaseTime: LeaseTime = MANUAL_LEASE_TIME,
): void {
  describe(`${name}: the storage contract`, () => {
    let current: StoreUnderTest;
    beforeEach(async () => {
      const clock = new ManualClock();
      current = storeUnderTest(await factory(clock), clock);
    });
    afterEach(() => current.store.close());
    const given = (): StoreUnderTest => current;
    describeWrites(given);
    describeReads(given);
    describeWatches(given);
    describeLeases(given, leaseTime);
    describeLimits(given);
  });
}
