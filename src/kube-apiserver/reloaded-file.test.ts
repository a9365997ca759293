import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test, vi } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import type { Logger } from "#component-base/logging.ts";
import { RELOAD_PERIOD_MS, reloadFile } from "./reloaded-file.ts";

const dir = mkdtempSync(join(tmpdir(), "kybern-reload-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("a changed file is handed on once, and one that cannot be used is told of", async () => {
  const path = join(dir, "file");
  const clock = new ManualClock();
  const told: string[] = [];
  const say = (_fields: object, message: string): void => void told.push(message);
  const logger: Logger = { debug: say, info: say, warn: say, error: say, child: () => logger };
  const used: string[] = [];
  writeFileSync(path, "one");
  const stop = reloadFile({ path, text: "one", clock, logger }, async (text) => {
    used.push(text);
    if (text === "bad") throw new Error("no");
  });
  /** At once, since the file may just be read. */
  const write = (text: string): void => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  const pass = (): void => clock.advance(RELOAD_PERIOD_MS);
  /** The file is a real one, and is read when the machine gets to it: it is looked at until so much was told, and then again. */
  const until = async (count: number): Promise<void> => {
    await vi.waitFor(() => {
      pass();
      expect(told.length).toBeGreaterThanOrEqual(count);
    });
    pass();
  };
  await until(0);
  expect([used, told]).toEqual([[], []]);
  write("two");
  await until(1);
  expect([used, told]).toEqual([["two"], ["the changed configuration holds from now on"]]);
  write("bad");
  await until(2);
  expect(used).toEqual(["two", "bad"]);
  expect(told.slice(1)).toEqual(["the changed configuration cannot be used; the last one holds on"]);
  rmSync(path);
  await until(3);
  expect(used).toHaveLength(2);
  // Whatever look is under way has ended then.
  const before = told.length;
  pass();
  await vi.waitFor(() => expect(told.length).toBeGreaterThan(before));
  stop();
  write("three");
  pass();
  await sleep(30);
  expect(used).toHaveLength(2);
});
