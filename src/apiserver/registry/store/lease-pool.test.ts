import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { LeasePool } from "./lease-pool.ts";

/** A pool, and how long the leases are that it has asked for. */
function pooled(reuseSeconds?: number): { clock: ManualClock; pool: LeasePool; granted: number[] } {
  const clock = new ManualClock();
  const store = new MemoryStore({ clock });
  const granted: number[] = [];
  const grantLease = store.grantLease.bind(store);
  store.grantLease = (ttlSeconds) => {
    granted.push(ttlSeconds);
    return grantLease(ttlSeconds);
  };
  return { clock, pool: new LeasePool(store, clock, reuseSeconds), granted };
}

test.each([
  { ttl: 3600, reuse: undefined, want: 3660 },
  { ttl: 3600, reuse: 10, want: 3610 },
  { ttl: 600, reuse: undefined, want: 630 },
  { ttl: 30, reuse: undefined, want: 31 },
  { ttl: 10, reuse: undefined, want: 10 },
])("objects that live for $ttl s are forgotten after $want s at the latest, with $reuse", async ({ ttl, reuse, want }) => {
  const { clock, pool, granted } = pooled(reuse);
  const first = await pool.leaseFor(ttl);
  const sharedMs = (want - ttl) * 1000;
  if (sharedMs > 0) {
    await clock.advance(sharedMs - 1);
    expect(await pool.leaseFor(ttl)).toBe(first);
  }
  await clock.advance(1);
  expect(await pool.leaseFor(ttl)).not.toBe(first);
  expect(granted).toEqual([want, want]);
});

test("a thousand objects share one lease, and of another time none", async () => {
  const { pool, granted } = pooled();
  const ids = await Promise.all(Array.from({ length: 1001 }, () => pool.leaseFor(3600)));
  expect(new Set(ids).size).toBe(2);
  await pool.leaseFor(60);
  expect(granted).toEqual([3660, 3660, 63]);
});

test("a lease that could not be had is asked for again", async () => {
  const clock = new ManualClock();
  const store = new MemoryStore({ clock });
  const pool = new LeasePool(store, clock);
  const grantLease = store.grantLease.bind(store);
  store.grantLease = () => Promise.reject(new Error("not now"));
  await expect(pool.leaseFor(3600)).rejects.toThrow("not now");
  store.grantLease = grantLease;
  expect(await pool.leaseFor(3600)).toBeGreaterThan(0);
});
