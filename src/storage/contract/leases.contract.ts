import { describe, expect, test } from "vitest";
import type { LeaseTime } from "./lease-time.ts";
import { bytes, type StoreUnderTest } from "./store-under-test.ts";
import { WatchRecorder } from "./watch-recorder.ts";

/** How keys go with their leases; `leaseTime` says how time passes for these. */
export function describeLeases(given: () => StoreUnderTest, leaseTime: LeaseTime): void {
  describe("leases", () => {
    test("keys of a lease go with it: at its end, and when it is revoked", async () => {
      const { clock, store, put, keys } = given();
      const lease = await store.grantLease(leaseTime.ttlSeconds);
      await put("/a", "1", 0, lease);
      await put("/b", "1", 0, lease);
      await put("/b", "2", 3);
      expect((await store.get("/a")).kv?.lease).toBe(lease);
      await leaseTime.most(clock);
      await store.keepLeaseAlive(lease);
      await leaseTime.most(clock);
      expect(await keys("/")).toEqual(["/a=1", "/b=2"]);
      const watch = new WatchRecorder(store, "/");
      await leaseTime.rest(clock);
      await watch.until(() => watch.events.length === 1);
      expect(watch.summary()).toEqual(["5 delete /a"]);
      expect(await keys("/")).toEqual(["/b=2"]);
      const other = await store.grantLease(10);
      await put("/c", "1", 0, other);
      await store.revokeLease(other);
      expect(await keys("/")).toEqual(["/b=2"]);
    });

    test("leases are told with their keys and what is left of their time", async () => {
      const { store, put } = given();
      const lease = await store.grantLease(100);
      await put("/a", "1", 0, lease);
      await put("/b", "1", 0, lease);
      const own = (await store.leases?.())?.filter(({ keys }) => keys.includes("/a")) ?? [];
      expect(own.map(({ keys }) => [...keys].sort())).toEqual([["/a", "/b"]]);
      expect(own[0]?.remainingSeconds).toBeGreaterThan(90);
      expect(own[0]?.remainingSeconds).toBeLessThanOrEqual(100);
    });

    test("an unknown lease is refused", async () => {
      const { store } = given();
      const request = { key: "/a", expectedModRevision: 0, put: { value: bytes("1"), lease: 99 } };
      await expect(store.txn(request)).rejects.toMatchObject({ code: "LeaseNotFound" });
      await expect(store.keepLeaseAlive(99)).rejects.toMatchObject({ code: "LeaseNotFound" });
      await expect(store.revokeLease(99)).rejects.toMatchObject({ code: "LeaseNotFound" });
    });
  });
}
