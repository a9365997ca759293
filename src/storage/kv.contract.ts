import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "#base/clock.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { type KeyValue, type KVStore, type StorageError, VALUE_BYTES_MAX, type WatchEvent } from "./kv.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (kv: KeyValue | undefined): string | undefined =>
  kv === undefined ? undefined : new TextDecoder().decode(kv.value);

/** What a watch has delivered so far. */
class Recorder {
  readonly controller: AbortController = new AbortController();
  readonly events: WatchEvent[] = [];
  readonly errors: StorageError[] = [];
  revision = 0;

  constructor(store: KVStore, prefix: string, startRevision?: number) {
    store.watch(prefix, {
      ...(startRevision === undefined ? {} : { startRevision }),
      signal: this.controller.signal,
      onEvents: (events, revision) => {
        this.events.push(...events);
        this.revision = revision;
      },
      onError: (error) => void this.errors.push(error),
    });
  }

  async until(condition: () => boolean): Promise<void> {
    await expect.poll(condition, { interval: 1 }).toBe(true);
  }

  summary(): string[] {
    return this.events.map((e) => `${e.revision} ${e.type} ${e.key}=${text(e.kv)} was ${text(e.previous)}`);
  }
}

/** How time passes for a store's leases. */
export interface LeaseTime {
  readonly ttlSeconds: number;
  /** Lets nine tenths of the TTL pass: a lease kept alive since the last call lives on. */
  readonly most: (clock: ManualClock) => void | Promise<void>;
  /** Lets the rest pass. */
  readonly rest: (clock: ManualClock) => void | Promise<void>;
}

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
    let clock: ManualClock;
    let store: KVStore;
    beforeEach(async () => {
      clock = new ManualClock();
      store = await factory(clock);
    });
    afterEach(() => store.close());

    const put = async (key: string, value: string, expectedModRevision = 0, lease?: number): Promise<number> => {
      const result = await store.txn({ key, expectedModRevision, put: { value: bytes(value), ...(lease ? { lease } : {}) } });
      expect(result.succeeded).toBe(true);
      return result.revision;
    };
    const remove = async (key: string, expectedModRevision: number): Promise<number> => {
      const result = await store.txn({ key, expectedModRevision });
      expect(result.succeeded).toBe(true);
      return result.revision;
    };
    const keys = async (prefix: string, revision?: number): Promise<string[]> =>
      (await store.list(prefix, revision === undefined ? {} : { revision })).kvs.map((kv) => `${kv.key}=${text(kv)}`);

    test("an empty store is at revision 1 and finds nothing", async () => {
      expect(await store.currentRevision()).toBe(1);
      expect(await store.get("/a")).toEqual({ kv: undefined, revision: 1 });
      expect(await store.list("/")).toEqual({ kvs: [], remaining: 0, revision: 1 });
      expect(await store.count("/")).toBe(0);
    });

    test("a key has the revisions and the version of its writes", async () => {
      expect(await put("/a", "1")).toBe(2);
      expect(await put("/b", "x")).toBe(3);
      expect(await put("/a", "2", 2)).toBe(4);
      const { kv, revision } = await store.get("/a");
      expect(revision).toBe(4);
      expect(kv).toMatchObject({ key: "/a", createRevision: 2, modRevision: 4, version: 2, lease: 0 });
      expect(text(kv)).toBe("2");
      await remove("/a", 4);
      expect((await store.get("/a")).kv).toBeUndefined();
      await put("/a", "3");
      expect((await store.get("/a")).kv).toMatchObject({ createRevision: 6, modRevision: 6, version: 1 });
    });

    test.each([
      { name: "create where the key is there", key: "/a", expected: 0, current: "1" },
      { name: "update at an old revision", key: "/a", expected: 1, current: "1" },
      { name: "update of an absent key", key: "/none", expected: 7, current: undefined },
    ])("$name is refused with the present state and takes no revision", async ({ key, expected, current }) => {
      await put("/a", "1");
      const result = await store.txn({ key, expectedModRevision: expected, put: { value: bytes("2") } });
      expect(result).toMatchObject({ succeeded: false, revision: 2 });
      expect(text(result.succeeded ? undefined : result.current)).toBe(current);
      expect(await store.currentRevision()).toBe(2);
    });

    test("a deletion answers with what was there, and at a wrong revision is refused", async () => {
      await put("/a", "1");
      expect(await store.txn({ key: "/a", expectedModRevision: 9 })).toMatchObject({ succeeded: false });
      const result = await store.txn({ key: "/a", expectedModRevision: 2 });
      expect(result).toMatchObject({ succeeded: true, revision: 3 });
      expect(text(result.succeeded ? result.previous : undefined)).toBe("1");
      expect(await store.txn({ key: "/a", expectedModRevision: 0 })).toMatchObject({ succeeded: true, revision: 3 });
    });

    test("of many concurrent writers of one key exactly one wins each round", async () => {
      const attempt = async (): Promise<void> => {
        for (;;) {
          const { kv } = await store.get("/counter");
          const next = String(Number(text(kv) ?? "0") + 1);
          const request = { key: "/counter", expectedModRevision: kv?.modRevision ?? 0, put: { value: bytes(next) } };
          if ((await store.txn(request)).succeeded) return;
        }
      };
      await Promise.all(Array.from({ length: 20 }, attempt));
      expect(text((await store.get("/counter")).kv)).toBe("20");
      expect(await store.currentRevision()).toBe(21);
    });

    test("writes that are not yet answered count for those behind them", async () => {
      const [first, second, third] = await Promise.all([
        store.txn({ key: "/a", expectedModRevision: 0, put: { value: bytes("1") } }),
        store.txn({ key: "/a", expectedModRevision: 0, put: { value: bytes("2") } }),
        store.txn({ key: "/a", expectedModRevision: 2, put: { value: bytes("3") } }),
      ]);
      expect([first?.succeeded, second?.succeeded, third?.succeeded]).toEqual([true, false, true]);
      expect(await store.get("/a")).toMatchObject({ kv: { modRevision: 3, version: 2 }, revision: 3 });
    });

    test("keys are listed in the byte order of UTF-8 and only with the prefix", async () => {
      const all = ["/p/", "/p/a", "/p/a/b", "/p/a0", "/p/é", "/p/\uffee", "/p/\u{1f600}", "/p0", "/q", "/p"];
      for (const key of all) await put(key, key);
      const expected = all.filter((key) => key.startsWith("/p/")).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect((await store.list("/p/")).kvs.map((kv) => kv.key)).toEqual(expected);
      expect((await store.list("")).kvs.map((kv) => kv.key)).toHaveLength(all.length);
      expect(await store.count("/p/")).toBe(expected.length);
      expect(await store.count("/p")).toBe(expected.length + 2);
    });

    test("pages of a listing cover it, and tell how much is left", async () => {
      for (let i = 0; i < 100; i++) await put(`/p/${String(i).padStart(3, "0")}`, String(i));
      await put("/q", "beyond");
      const seen: string[] = [];
      const remaining: number[] = [];
      let startKey: string | undefined = "/p/";
      const { revision } = await store.list("/p/");
      while (startKey !== undefined) {
        const page = await store.list("/p/", { limit: 40, startKey, revision });
        seen.push(...page.kvs.map((kv) => text(kv) ?? ""));
        remaining.push(page.remaining);
        startKey = page.remaining > 0 ? `${page.kvs.at(-1)?.key}\0` : undefined;
        await store.txn({ key: `/p/${seen.length}x`, expectedModRevision: 0, put: { value: bytes("later") } });
      }
      expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
      expect(remaining).toEqual([60, 20, 0]);
    });

    test("old revisions read as they were", async () => {
      await put("/a", "1");
      await put("/b", "1");
      await put("/a", "2", 2);
      await remove("/b", 3);
      await put("/b", "2");
      expect(await keys("/", 1)).toEqual([]);
      expect(await keys("/", 3)).toEqual(["/a=1", "/b=1"]);
      expect(await keys("/", 4)).toEqual(["/a=2", "/b=1"]);
      expect(await keys("/", 5)).toEqual(["/a=2"]);
      expect(await keys("/")).toEqual(["/a=2", "/b=2"]);
      expect(text((await store.get("/b", { revision: 4 })).kv)).toBe("1");
      expect((await store.get("/b", { revision: 5 })).kv).toBeUndefined();
    });

    test("a revision to come cannot be read", async () => {
      await expect(store.get("/a", { revision: 2 })).rejects.toMatchObject({ code: "FutureRevision" });
      await expect(store.list("/a", { revision: 2 })).rejects.toMatchObject({ code: "FutureRevision" });
      await expect(store.compact(2)).rejects.toMatchObject({ code: "FutureRevision" });
    });

    test("compaction forgets what is older and keeps the rest", async () => {
      await put("/a", "1");
      await put("/b", "1");
      await put("/a", "2", 2);
      await remove("/b", 3);
      await put("/c", "1");
      await put("/a", "3", 4);
      await store.compact(6);
      const refused = { code: "Compacted", compactRevision: 6 };
      await expect(store.get("/a", { revision: 5 })).rejects.toMatchObject(refused);
      await expect(store.list("/", { revision: 5 })).rejects.toMatchObject(refused);
      expect(await keys("/", 6)).toEqual(["/a=2", "/c=1"]);
      expect(await keys("/")).toEqual(["/a=3", "/c=1"]);
      const old = new Recorder(store, "/", 5);
      const kept = new Recorder(store, "/", 6);
      await kept.until(() => kept.events.length === 2);
      expect(old.errors).toMatchObject([refused]);
      expect(kept.summary()).toEqual(["6 put /c=1 was undefined", "7 put /a=3 was 2"]);
      await put("/b", "again");
      expect((await store.get("/b")).kv).toMatchObject({ createRevision: 8, version: 1 });
    });

    test("a watch delivers changes with the state before, in order, of its prefix only", async () => {
      const watch = new Recorder(store, "/a/");
      await put("/a/1", "x");
      await put("/b/1", "x");
      await put("/a/1", "y", 2);
      await remove("/a/1", 4);
      await put("/a/1", "z");
      await watch.until(() => watch.events.length === 4);
      expect(watch.summary()).toEqual([
        "2 put /a/1=x was undefined",
        "4 put /a/1=y was x",
        "5 delete /a/1=y was undefined",
        "6 put /a/1=z was undefined",
      ]);
      expect(watch.events[2]?.kv.modRevision).toBe(4);
      expect(watch.revision).toBe(6);
    });

    test("a watch from an old revision delivers what was, then what comes, without gap or repetition", async () => {
      for (let i = 0; i < 50; i++) await put(`/k/${i}`, "x");
      const writes = Array.from({ length: 50 }, (_, i) => put(`/k/${50 + i}`, "x"));
      const watch = new Recorder(store, "/k/", 11);
      await Promise.all(writes);
      await put("/k/100", "x");
      await watch.until(() => watch.revision >= 102);
      expect(watch.events.map((event) => event.revision)).toEqual(Array.from({ length: 92 }, (_, i) => 11 + i));
    });

    test("a watch from a revision to come waits for it", async () => {
      const watch = new Recorder(store, "/", 3);
      await put("/a", "1");
      await put("/b", "2");
      await watch.until(() => watch.events.length > 0);
      expect(watch.summary().at(-1)).toBe("3 put /b=2 was undefined");
    });

    test("an answered write has reached the watches", async () => {
      const watch = new Recorder(store, "/");
      await put("/first", "1");
      for (let i = 0; i < 10; i++) {
        const revision = await put(`/k${i}`, "x");
        expect(watch.revision).toBe(revision);
      }
    });

    test("an aborted watch is silent", async () => {
      const watch = new Recorder(store, "/");
      await put("/a", "1");
      watch.controller.abort();
      await put("/b", "1");
      expect(watch.summary()).toEqual(["2 put /a=1 was undefined"]);
      expect(watch.errors).toEqual([]);
    });

    test("watches of many kinds of prefixes each get their own", async () => {
      const prefixes = ["", "/", "/a", "/a/", "/a/b", "/a/bc", "/a/b/"];
      const watches = prefixes.map((prefix) => new Recorder(store, prefix));
      await Promise.all(["/a/b/c", "/a/bc", "/ab", "/a"].map((key) => put(key, "x")));
      await watches[0]?.until(() => watches[0]?.events.length === 4);
      expect(watches.map((watch) => watch.events.length)).toEqual([4, 4, 4, 2, 2, 1, 1]);
    });

    test("a callback may write, and sees its own event later", async () => {
      const seen: number[] = [];
      const controller = new AbortController();
      store.watch("/", {
        signal: controller.signal,
        onEvents: (events, revision) => {
          if (events[0]?.key === "/a") void put("/b", "echo");
          seen.push(revision);
        },
        onError: () => undefined,
      });
      await put("/a", "1");
      await expect.poll(() => seen, { interval: 1 }).toEqual([2, 3]);
      controller.abort();
    });

    test("keys of a lease go with it: at its end, and when it is revoked", async () => {
      const lease = await store.grantLease(leaseTime.ttlSeconds);
      await put("/a", "1", 0, lease);
      await put("/b", "1", 0, lease);
      await put("/b", "2", 3);
      expect((await store.get("/a")).kv?.lease).toBe(lease);
      await leaseTime.most(clock);
      await store.keepLeaseAlive(lease);
      await leaseTime.most(clock);
      expect(await keys("/")).toEqual(["/a=1", "/b=2"]);
      const watch = new Recorder(store, "/");
      await leaseTime.rest(clock);
      await watch.until(() => watch.events.length === 1);
      expect(watch.summary()).toEqual(["5 delete /a=1 was undefined"]);
      expect(await keys("/")).toEqual(["/b=2"]);
      const other = await store.grantLease(10);
      await put("/c", "1", 0, other);
      await store.revokeLease(other);
      expect(await keys("/")).toEqual(["/b=2"]);
    });

    test("an unknown lease is refused", async () => {
      const request = { key: "/a", expectedModRevision: 0, put: { value: bytes("1"), lease: 99 } };
      await expect(store.txn(request)).rejects.toMatchObject({ code: "LeaseNotFound" });
      await expect(store.keepLeaseAlive(99)).rejects.toMatchObject({ code: "LeaseNotFound" });
      await expect(store.revokeLease(99)).rejects.toMatchObject({ code: "LeaseNotFound" });
    });

    test("a value over the limit is refused, one at the limit is kept whole", async () => {
      const write = (size: number) =>
        store.txn({ key: "/a", expectedModRevision: 0, put: { value: new Uint8Array(size).fill(7) } });
      await expect(write(VALUE_BYTES_MAX + 1)).rejects.toMatchObject({ code: "TooLarge" });
      expect((await write(VALUE_BYTES_MAX)).succeeded).toBe(true);
      const { kv } = await store.get("/a");
      expect(kv?.value.byteLength).toBe(VALUE_BYTES_MAX);
      expect(kv?.value.every((byte) => byte === 7)).toBe(true);
    });

    test("a closed store refuses everything and ends its watches", async () => {
      const watch = new Recorder(store, "/");
      await put("/a", "1");
      await store.checkHealth();
      await store.close();
      const unavailable = { code: "Unavailable" };
      await expect(store.get("/a")).rejects.toMatchObject(unavailable);
      await expect(store.list("/")).rejects.toMatchObject(unavailable);
      await expect(store.txn({ key: "/a", expectedModRevision: 0 })).rejects.toMatchObject(unavailable);
      await expect(store.checkHealth()).rejects.toMatchObject(unavailable);
      expect(watch.errors).toMatchObject([unavailable]);
      await store.close();
    });
  });
}
