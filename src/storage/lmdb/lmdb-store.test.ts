import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { describeStoreContract } from "../kv.contract.ts";
import type { KVStore } from "../kv.ts";
import { openLmdbStore } from "./open-lmdb-store.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kybern-lmdb-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const freshDir = (): Promise<string> => mkdtemp(join(root, "store-"));

describeStoreContract("lmdb", async (clock) => openLmdbStore({ dir: await freshDir(), clock }));

const put = (store: KVStore, key: string, value: string, expectedModRevision = 0, lease = 0) =>
  store.txn({ key, expectedModRevision, put: { value: Buffer.from(value), lease } });

test("a store that is opened again goes on where it ended, with history and compaction", async () => {
  const dir = await freshDir();
  const clock = new ManualClock();
  const first = await openLmdbStore({ dir, clock });
  for (let i = 0; i < 20; i++) await put(first, `/k/${i}`, `v${i}`);
  await first.compact(10);
  await first.txn({ key: "/k/19", expectedModRevision: 21 });
  await first.close();
  const second = await openLmdbStore({ dir, clock });
  expect(await second.currentRevision()).toBe(22);
  expect((await second.list("/k/")).kvs).toHaveLength(19);
  expect((await second.get("/k/19", { revision: 21 })).kv).toMatchObject({ createRevision: 21 });
  await expect(second.get("/k/0", { revision: 9 })).rejects.toMatchObject({ code: "Compacted", compactRevision: 10 });
  expect(await put(second, "/new", "x")).toMatchObject({ succeeded: true, revision: 23 });
  await second.close();
});

test("a write goes on from what LMDB has of its key, and one that expected something else is told all of it", async () => {
  const dir = await freshDir();
  const clock = new ManualClock();
  const first = await openLmdbStore({ dir, clock });
  await put(first, "/a", "1");
  await put(first, "/a", "2", 2);
  await first.close();
  await using second = await openLmdbStore({ dir, clock });
  const value = Buffer.from("2");
  const current = { key: "/a", value, createRevision: 2, modRevision: 3, version: 2 };
  expect(await put(second, "/a", "3", 2)).toMatchObject({ succeeded: false, current });
  expect(await put(second, "/a", "3", 3)).toMatchObject({ succeeded: true, revision: 4 });
  expect((await second.get("/a")).kv).toMatchObject({ createRevision: 2, modRevision: 4, version: 3 });
  expect((await second.get("/a", { revision: 3 })).kv).toMatchObject({ modRevision: 3, version: 2 });
});

test("a revision that was raised is kept over a restart, and what lies before it is forgotten", async () => {
  const dir = await freshDir();
  const clock = new ManualClock();
  const first = await openLmdbStore({ dir, clock });
  await put(first, "/a", "1");
  await first.raiseRevision?.(1_000_000_000);
  expect(await first.currentRevision()).toBe(1_000_000_000);
  await first.raiseRevision?.(5);
  await first.close();
  await using second = await openLmdbStore({ dir, clock });
  expect(await second.currentRevision()).toBe(1_000_000_000);
  await expect(second.get("/a", { revision: 2 })).rejects.toMatchObject({ code: "Compacted" });
  expect((await second.get("/a")).kv).toMatchObject({ modRevision: 2 });
  expect(await put(second, "/b", "1")).toMatchObject({ revision: 1_000_000_001 });
  expect((await second.list("/", { revision: 1_000_000_000 })).kvs).toHaveLength(1);
});

test("leases outlive the process and begin anew", async () => {
  const dir = await freshDir();
  const first = await openLmdbStore({ dir, clock: new ManualClock() });
  const lease = await first.grantLease(10);
  await put(first, "/a", "1", 0, lease);
  await first.close();
  const clock = new ManualClock();
  const second = await openLmdbStore({ dir, clock });
  expect((await second.get("/a")).kv?.lease).toBe(lease);
  expect(await second.grantLease(60)).toBeGreaterThan(lease);
  clock.advance(10_000);
  await expect.poll(async () => (await second.get("/a")).kv).toBeUndefined();
  await second.close();
});

test("a directory that is in use is refused, and free after close", async () => {
  const dir = await freshDir();
  const clock = new ManualClock();
  const store = await openLmdbStore({ dir, clock });
  await expect(openLmdbStore({ dir, clock })).rejects.toMatchObject({
    code: "Unavailable",
    message: expect.stringMatching(/held by process \d+$/),
  });
  await store.close();
  await (await openLmdbStore({ dir, clock })).close();
});

test.each([
  {
    name: "is no directory",
    message: "cannot be used",
    make: async (dir: string) => {
      await rm(dir, { recursive: true });
      await writeFile(dir, "a file");
    },
  },
  {
    name: "holds something else",
    message: "is not a data file of this program",
    make: (dir: string) => writeFile(join(dir, "data.mdb"), "x".repeat(20_000)),
  },
  {
    name: "was cut short",
    message: "is cut short",
    make: async (dir: string) => {
      const store = await openLmdbStore({ dir, clock: new ManualClock() });
      for (let i = 0; i < 4; i++) await put(store, `/k/${i}`, "x".repeat(200_000));
      await store.close();
      await truncate(join(dir, "data.mdb"), 40_960);
    },
  },
])("a data directory that $name gives a clear error", async ({ make, message }) => {
  const dir = await freshDir();
  await make(dir);
  await expect(openLmdbStore({ dir, clock: new ManualClock() })).rejects.toMatchObject({
    code: "Unavailable",
    message: expect.stringContaining(message),
  });
});
