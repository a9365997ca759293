import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { realHostFiles } from "#base/host-files.ts";
import { ManualClock } from "#base/manual-clock.ts";
import type { Logger } from "#component-base/logging.ts";
import { LogRotation, planRotation } from "./log-rotation.ts";

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kybern-logs-"));
});
afterEach(() => rm(dir, { recursive: true }));

test.each<[readonly string[], number, readonly string[], readonly string[]]>([
  [[], 5, [], []],
  [["l.1.gz", "l.2"], 5, ["l.1.gz", "l.2"], []],
  [["l.1.gz", "l.2.gz", "l.3.gz", "l.4"], 5, ["l.2.gz", "l.3.gz", "l.4"], ["l.1.gz"]],
  [["l.1", "l.1.gz", "l.2.tmp"], 5, ["l.1.gz"], ["l.1", "l.2.tmp"]],
  [["l.1"], 2, [], ["l.1"]],
])("of %j with %i files at most", (names, max, kept, removed) => expect(planRotation(names, max)).toEqual({ kept, removed }));

test("a large log is put aside, those before are packed, the oldest go", async () => {
  const path = join(dir, "0.log");
  const clock = new ManualClock();
  const options = {
    runtime: {
      containerStatuses: async () => [{ id: "c", logPath: path }] as never,
      reopenContainerLog: () => writeFile(path, ""),
    },
    files: realHostFiles,
    maxBytes: 4,
    maxFiles: 3,
    workers: 1,
    clock,
    logger: silent,
  };
  const rotation = new LogRotation(options);
  const rotate = async (text: string): Promise<readonly string[]> => {
    await writeFile(path, text);
    await rotation.rotateAll();
    clock.advance(1000);
    return (await readdir(dir)).sort();
  };
  expect(await rotate("abc")).toEqual(["0.log"]);
  const [, first = ""] = await rotate("first");
  expect(first).toMatch(/^0\.log\.\d{8}-\d{6}$/);
  const [, packed = "", second = ""] = await rotate("second");
  expect(packed).toBe(`${first}.gz`);
  expect(gunzipSync(await readFile(join(dir, packed))).toString()).toBe("first");
  expect(await readFile(join(dir, second), "utf8")).toBe("second");
  const third = await rotate("third!");
  expect(third).toHaveLength(3);
  expect(third).not.toContain(packed);
});

test("a log whose runtime does not begin it anew is put back", async () => {
  const path = join(dir, "0.log");
  await writeFile(path, "much");
  const rotation = new LogRotation({
    runtime: {
      containerStatuses: async () => [{ id: "c", logPath: path }] as never,
      reopenContainerLog: () => Promise.reject(new Error("gone")),
    },
    files: realHostFiles,
    maxBytes: 1,
    maxFiles: 5,
    workers: 1,
    clock: new ManualClock(),
    logger: silent,
  });
  await rotation.rotateAll();
  expect(await readdir(dir)).toEqual(["0.log"]);
});
