import { copyFile, type FileHandle, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { realHostFiles } from "#base/host-files.ts";
import { ManualClock } from "#base/manual-clock.ts";
import type { KVStore, StorageError } from "../kv.ts";
import { LmdbFiles } from "./lmdb-files.ts";
import type { LogFiles } from "./log-segment.ts";
import { openLmdbStore } from "./open-lmdb-store.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kybern-lmdb-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const freshDir = (): Promise<string> => mkdtemp(join(root, "store-"));

const put = (store: KVStore, key: string, value: string, expectedModRevision = 0, lease = 0) =>
  store.txn({ key, expectedModRevision, put: { value: Buffer.from(value), lease } });

test("data that was written before there was a log is opened, and called otherwise from then on", async () => {
  const dir = await freshDir();
  const clock = new ManualClock();
  const first = await openLmdbStore({ dir, clock });
  await put(first, "/a", "1");
  await first.close();
  const files = new LmdbFiles(dir);
  await files.root.batch(() => {
    void files.meta.put("format", "kybern-kv-1");
    for (const name of ["log", "appliedGroup"]) void files.meta.remove(name);
  });
  await files.root.close();
  for (const name of ["log-0", "log-1"]) await rm(join(dir, name));
  const second = await openLmdbStore({ dir, clock });
  expect((await second.get("/a")).kv).toMatchObject({ modRevision: 2 });
  expect(await put(second, "/b", "2")).toMatchObject({ revision: 3 });
  await second.close();
  const after = new LmdbFiles(dir);
  expect(after.meta.get("format")).toBe("kybern-kv-2");
  await after.root.close();
});

test("what the store makes, its owner alone may read and write", async () => {
  const dir = await freshDir();
  const store = await openLmdbStore({ dir, clock: new ManualClock() });
  await put(store, "/a", "1");
  const modes: Record<string, number> = {};
  for (const name of await readdir(dir)) modes[name] = (await stat(join(dir, name))).mode & 0o777;
  await store.close();
  expect(modes).toMatchObject({ "data.mdb": 0o600, "lock.mdb": 0o600, "log-0": 0o600, "log-1": 0o600 });
});

test("data of a format to come is refused", async () => {
  const dir = await freshDir();
  await (await openLmdbStore({ dir, clock: new ManualClock() })).close();
  const files = new LmdbFiles(dir);
  await files.meta.put("format", "kybern-kv-3");
  await files.root.close();
  await expect(openLmdbStore({ dir, clock: new ManualClock() })).rejects.toMatchObject({
    code: "Unavailable",
    message: expect.stringContaining('format "kybern-kv-3" is not known to this version'),
  });
});

test("the data file alone is whole after close", async () => {
  const [dir, copy] = [await freshDir(), await freshDir()];
  const clock = new ManualClock();
  const store = await openLmdbStore({ dir, clock });
  const lease = await store.grantLease(10);
  await Promise.all(Array.from({ length: 1000 }, (_, i) => put(store, `/k/${i}`, "x", 0, i % 2 === 0 ? lease : 0)));
  await store.revokeLease(lease);
  await store.close();
  await copyFile(join(dir, "data.mdb"), join(copy, "data.mdb"));
  await using second = await openLmdbStore({ dir: copy, clock });
  expect(await second.count("/k/")).toBe(500);
  expect(await second.currentRevision()).toBe(1501);
  expect(await second.leases?.()).toEqual([]);
});

/** The log's files, of which every write fails once the disk is said to be full. */
function fullDisk(): { readonly logFiles: LogFiles; fill(): void } {
  let isFull = false;
  const write = (handle: FileHandle) => async (bytes: Buffer, from: number, length: number, position: number) => {
    if (isFull) throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    return handle.write(bytes, from, length, position);
  };
  const fill = (): void => {
    isFull = true;
  };
  const open = async (...args: Parameters<LogFiles["open"]>): Promise<FileHandle> => {
    const handle = await realHostFiles.open(...args);
    return new Proxy(handle, {
      get: (target, name) => {
        if (name === "write") return write(target);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  return { logFiles: { open }, fill };
}

test("a store whose log cannot be written says why, accepts nothing more, and loses nothing that was acknowledged", async () => {
  const dir = await freshDir();
  const clock = new ManualClock();
  const { logFiles, fill } = fullDisk();
  const first = await openLmdbStore({ dir, clock, logFiles });
  for (let i = 0; i < 10; i++) await put(first, `/k/${i}`, "x");
  const told: StorageError[] = [];
  first.watch("/", { signal: new AbortController().signal, onEvents: () => undefined, onError: (error) => told.push(error) });
  fill();
  const failure = {
    code: "Unavailable",
    message: "the data could not be written: ENOSPC: no space left on device, write",
  };
  const results = await Promise.allSettled([put(first, "/a", "1"), put(first, "/b", "2")]);
  for (const result of results) expect(result).toMatchObject({ status: "rejected", reason: failure });
  expect(told).toMatchObject([failure]);
  await expect(put(first, "/c", "3")).rejects.toMatchObject(failure);
  await expect(first.get("/k/1")).rejects.toMatchObject(failure);
  await expect(first.checkHealth()).rejects.toMatchObject(failure);
  await first.close();
  await using second = await openLmdbStore({ dir, clock });
  expect((await second.list("/")).kvs).toHaveLength(10);
  expect(await put(second, "/a", "1")).toMatchObject({ succeeded: true, revision: 12 });
});
