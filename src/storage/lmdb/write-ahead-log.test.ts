import { mkdtemp, open, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { realHostFiles } from "#base/host-files.ts";
import { encodeGroup, type LogGroup } from "./log-group.ts";
import { writeStep } from "./log-step.ts";
import { WriteAheadLog } from "./write-ahead-log.ts";

const ID = Buffer.from("0123456789abcdef", "hex");
const MEGABYTE = 1024 * 1024;

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kybern-log-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));
const freshDir = (): Promise<string> => mkdtemp(join(root, "log-"));

const noRoom = (): Promise<void> => Promise.reject(new Error("no room"));

function group(sequence: number, bytes = 100): LogGroup {
  const kv = {
    key: `/k/${sequence}`,
    value: Buffer.alloc(bytes, sequence),
    createRevision: 1,
    modRevision: sequence,
    version: 1,
    lease: 0,
  };
  return { sequence, steps: [writeStep({ deleted: false, previousRevision: 0, kv }, 0)] };
}

async function openLog(dir: string, sequence = 0): Promise<{ log: WriteAheadLog; found: number[] }> {
  const log = await WriteAheadLog.open(realHostFiles, dir);
  try {
    const groups = await log.begin(ID, sequence);
    for (const one of groups)
      expect(encodeGroup(ID, one).equals(encodeGroup(ID, group(one.sequence, valueBytes(one))))).toBe(true);
    return { log, found: groups.map((one) => one.sequence) };
  } catch (error) {
    await log.close();
    throw error;
  }
}

function valueBytes({ steps: [step] }: LogGroup): number {
  return step?.kind === "write" ? step.record.kv.value.byteLength : 0;
}

test("what was appended is found again, and what was released is not", async () => {
  const dir = await freshDir();
  const { log } = await openLog(dir);
  for (let i = 1; i <= 5; i++) await log.append(group(i), noRoom);
  await log.close();
  for (const [released, found] of [
    [0, [1, 2, 3, 4, 5]],
    [3, [4, 5]],
    [5, []],
  ] as const) {
    const again = await openLog(dir, released);
    expect(again.found).toEqual(found);
    await again.log.close();
  }
  for (const name of ["log-0", "log-1"]) expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600);
});

test("two segments take turns; where both are full, an append waits for room", async () => {
  const dir = await freshDir();
  const { log } = await openLog(dir);
  const asked: number[] = [];
  const room = async (until: number): Promise<void> => {
    asked.push(until);
    log.release(until);
  };
  const appended: number[] = [];
  for (let i = 1; asked.length < 3; i++) {
    await log.append(group(i, MEGABYTE / 2), room);
    appended.push(i);
  }
  await log.close();
  const { log: again, found } = await openLog(dir, asked.at(-1));
  expect(found).toEqual(appended.filter((i) => i > (asked.at(-1) ?? 0)));
  await again.close();
  const sizes = await Promise.all(["log-0", "log-1"].map(async (name) => (await stat(join(dir, name))).size));
  expect(sizes).toEqual([4 * MEGABYTE, 4 * MEGABYTE]);
});

test("a log whose groups are released in time stays short, and takes the largest value", async () => {
  const dir = await freshDir();
  const { log } = await openLog(dir);
  for (let i = 1; i <= 100; i++) {
    await log.append(group(i, 50_000), noRoom);
    log.release(i);
  }
  expect((await stat(join(dir, "log-1"))).size).toBe(0);
  await log.append(group(101, 1.5 * MEGABYTE), noRoom);
  await log.close();
  const { log: again, found } = await openLog(dir, 100);
  expect(found).toEqual([101]);
  await again.close();
});

test("a group that was half written is no group, and its place is used again", async () => {
  const dir = await freshDir();
  const { log } = await openLog(dir);
  for (let i = 1; i <= 3; i++) await log.append(group(i), noRoom);
  await log.close();
  await spoil(dir, "/k/3");
  const { log: second, found } = await openLog(dir);
  expect(found).toEqual([1, 2]);
  second.release(2);
  await second.append(group(3, 10), noRoom);
  await second.close();
  const { log: third, found: rest } = await openLog(dir, 2);
  expect(rest).toEqual([3]);
  await third.close();
});

test.each([
  { name: "the first", spoilt: "/k/1", message: "group 1 is missing or damaged, but group 2 is there" },
  { name: "one between others", spoilt: "/k/3", message: "group 3 is missing or damaged, but group 4 is there" },
])("damage to $name is told apart from a write that was interrupted", async ({ spoilt, message }) => {
  const dir = await freshDir();
  const { log } = await openLog(dir);
  for (let i = 1; i <= 4; i++) await log.append(group(i), noRoom);
  await log.close();
  await spoil(dir, spoilt);
  await expect(openLog(dir)).rejects.toMatchObject({ code: "Unavailable", message: `the log is not whole: ${message}` });
});

test("a data file that is older than the log beside it is noticed", async () => {
  const dir = await freshDir();
  const { log } = await openLog(dir);
  for (let i = 1; i <= 3; i++) {
    await log.append(group(i), noRoom);
    log.release(i);
  }
  await log.close();
  await expect(openLog(dir, 1)).rejects.toMatchObject({
    code: "Unavailable",
    message: expect.stringContaining("group 2 is missing"),
  });
});

test("a segment that was being made is made whole", async () => {
  const dir = await freshDir();
  await writeFile(join(dir, "log-0"), Buffer.alloc(1000));
  const { log } = await openLog(dir);
  await log.append(group(1), noRoom);
  await log.close();
  expect((await stat(join(dir, "log-0"))).size).toBe(MEGABYTE);
  await truncate(join(dir, "log-0"), 100_000);
  const { log: again, found } = await openLog(dir);
  expect(found).toEqual([1]);
  await again.close();
});

/** Changes a byte of the first segment, behind a text that is in it once. */
async function spoil(dir: string, text: string): Promise<void> {
  const path = join(dir, "log-0");
  const at = (await readFile(path)).indexOf(text) + text.length;
  const file = await open(path, "r+");
  await file.write(Buffer.from([0xee]), 0, 1, at);
  await file.close();
}
