import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
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
  const pass = async (text?: string): Promise<void> => {
    if (text !== undefined) writeFileSync(path, text);
    clock.advance(RELOAD_PERIOD_MS);
    // The file is a real one.
    await sleep(30);
  };
  await pass();
  expect([used, told]).toEqual([[], []]);
  await pass("two");
  await pass();
  expect([used, told]).toEqual([["two"], ["the changed configuration holds from now on"]]);
  await pass("bad");
  await pass();
  expect(used).toEqual(["two", "bad"]);
  expect(told[1]).toBe("the changed configuration cannot be used; the last one holds on");
  rmSync(path);
  await pass();
  expect(told).toHaveLength(3);
  stop();
  await pass("three");
  expect(used).toHaveLength(2);
});
