import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import type { StorageError } from "../kv.ts";
import { Applier } from "./applier.ts";
import { LmdbFiles } from "./lmdb-files.ts";
import { encodeGroup, LOG_ID_BYTES, type LogGroup } from "./log-group.ts";
import { writeStep } from "./log-step.ts";

/** Longer than a step waits for others. */
const LATER_MS = 1_000;

let dir = "";
let files: LmdbFiles;
let clock: ManualClock;
/** The sequences of each transaction. */
let applied: number[][];
let broken: StorageError[];
let applier: Applier;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kybern-applier-"));
  files = new LmdbFiles(dir);
  clock = new ManualClock();
  applied = [];
  broken = [];
  applier = new Applier({
    files,
    clock,
    onApplied: (groups) => applied.push(groups.map(({ sequence }) => sequence)),
    onBroken: (error) => broken.push(error),
  });
});
afterEach(async () => {
  await applier.close();
  await files.root.close();
  await rm(dir, { recursive: true, force: true });
});

/** As one that is in the log. */
function group(sequence: number, steps = 1): LogGroup {
  const kv = { key: `/k/${sequence}`, value: Buffer.from("x"), createRevision: 1, modRevision: sequence, version: 1, lease: 0 };
  const made = {
    sequence,
    steps: Array.from({ length: steps }, () => writeStep({ deleted: false, previousRevision: 0, kv }, 0)),
  };
  encodeGroup(Buffer.alloc(LOG_ID_BYTES), made);
  return made;
}

test("groups wait for others, and go into one transaction", async () => {
  for (let i = 1; i <= 5; i++) applier.add(group(i));
  expect(applied).toEqual([]);
  clock.advance(LATER_MS);
  await expect.poll(() => applied).toEqual([[1, 2, 3, 4, 5]]);
  expect(files.appliedGroup()).toBe(5);
  expect(clock.pending).toBe(0);
  applier.add(group(6));
  clock.advance(LATER_MS);
  await expect.poll(() => applied).toEqual([[1, 2, 3, 4, 5], [6]]);
});

test("who waits for them does not wait for time to pass, nor for later ones", async () => {
  for (let i = 1; i <= 3; i++) applier.add(group(i, 400));
  await applier.reach(1);
  expect(applied.flat()).toContain(1);
  await applier.reach();
  expect(applied).toEqual([[1, 2], [3]]);
  await applier.reach();
  clock.advance(LATER_MS);
  applier.add(group(4));
  await applier.reach(4);
  expect(files.write(4)).toMatchObject({ kv: { key: "/k/4" } });
});

test("many steps do not wait", async () => {
  for (let i = 1; i <= 600; i++) applier.add(group(i));
  await expect.poll(() => applied.flat().length).toBeGreaterThanOrEqual(512);
});

test("after a failed transaction nothing more is done, and all who wait hear why", async () => {
  applier.add(group(1));
  await applier.reach();
  const batch = files.root.batch.bind(files.root);
  files.root.batch = () => Promise.reject(new Error("MDB_MAP_FULL")) as never;
  applier.add(group(2));
  const failure = { code: "Unavailable", message: "the data could not be written: MDB_MAP_FULL" };
  await expect(applier.reach()).rejects.toMatchObject(failure);
  files.root.batch = batch;
  applier.add(group(3));
  await expect(applier.reach()).rejects.toMatchObject(failure);
  await expect(applier.change(() => undefined)).rejects.toMatchObject(failure);
  clock.advance(LATER_MS);
  await applier.close();
  expect(broken).toMatchObject([failure]);
  expect(files.appliedGroup()).toBe(1);
});
