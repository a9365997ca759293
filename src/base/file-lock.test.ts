import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { acquireFileLock } from "./file-lock.ts";

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "kybern-lock-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

test("a held lock is refused with its holder, and free again after release", async () => {
  const path = join(dir, "a.lock");
  const lock = await acquireFileLock(path);
  await expect(acquireFileLock(path)).rejects.toThrow(`${path} is held by process ${process.pid}`);
  await lock.release();
  await (await acquireFileLock(path)).release();
  expect((await readdir(dir)).filter((name) => name.startsWith("a."))).toEqual([]);
});

test.each([
  { name: "a process that is gone", content: JSON.stringify({ pid: 2 ** 22 + 1, startTime: "1", boot: "x" }) },
  { name: "an earlier process with the same id", content: JSON.stringify({ pid: process.pid, startTime: "1", boot: "x" }) },
  { name: "nobody that can be read", content: "garbage" },
])("the lock of $name is taken over", async ({ content }) => {
  const path = join(dir, "b.lock");
  await writeFile(path, content);
  await (await acquireFileLock(path)).release();
});
