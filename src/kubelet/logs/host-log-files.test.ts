import { appendFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { realHostFiles } from "#base/host-files.ts";
import { ManualClock } from "#base/manual-clock.ts";
import type { LogFile } from "#cri/log-files.ts";
import { hostLogFiles } from "./host-log-files.ts";

let dir: string;
let path: string;
let log: LogFile;
let clock: ManualClock;
/** Tells of a change in the folder, as the kernel would. */
let changed: () => void;
let watching: number;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kybern-logs-"));
  path = join(dir, "0.log");
  clock = new ManualClock();
  changed = () => {};
  watching = 0;
  await writeFile(path, "one\n");
  const watchFolder = (_folder: string, onChange: () => void): (() => void) => {
    changed = onChange;
    watching++;
    return () => watching--;
  };
  log = await hostLogFiles({ files: realHostFiles, watchFolder, clock }).open(path);
});
afterEach(async () => {
  await log.close();
  await rm(dir, { recursive: true });
});

/** As a kubelet and its runtime do it. */
async function rotate(name: string): Promise<void> {
  await rename(path, join(dir, name));
  await writeFile(path, "");
}

async function readAll(): Promise<string> {
  let text = "";
  for (;;) {
    const block = await log.read(Buffer.byteLength(before + text), 100);
    if (block.length === 0) return text;
    text += block;
  }
}
let before = "";
beforeEach(() => {
  before = "";
});
/** What is new since the last call. */
async function news(): Promise<string> {
  const text = await readAll();
  before += text;
  return text;
}

test("who does not follow reads the file that there was", async () => {
  await rotate("a");
  await writeFile(path, "two\n");
  clock.advance(1000);
  expect(await news()).toBe("one\n");
  expect(await log.end()).toBe(4);
});

test("what is written to a log that was put aside is read before what comes in its place", async () => {
  let told = 0;
  const stop = log.watch(() => told++);
  expect(await news()).toBe("one\n");
  await rotate("a");
  await appendFile(path, "three\n");
  changed();
  expect(told).toBe(1);
  // The runtime has not let go of the old file yet.
  expect(await news()).toBe("");
  expect(await log.end()).toBe("one\nthree\n".length);
  await appendFile(join(dir, "a"), "two\n");
  expect(await news()).toBe("two\n");
  clock.advance(101);
  expect(told).toBe(2);
  expect(await news()).toBe("three\n");
  await appendFile(path, "four\n");
  expect(await news()).toBe("four\n");
  stop();
  expect(watching).toBe(0);
});

test("who is behind reads every file, though they have been packed meanwhile", async () => {
  const stop = log.watch(() => {});
  for (let i = 0; i < 5; i++) {
    await rotate(`aside-${i}`);
    await appendFile(path, `line ${i}\n`);
    changed();
    // Waits until the file is seen.
    await log.end();
    await rm(join(dir, `aside-${i}`));
  }
  clock.advance(1000);
  expect(await news()).toBe("one\nline 0\nline 1\nline 2\nline 3\nline 4\n");
  stop();
});
