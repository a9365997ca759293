import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { nextTurn } from "#base/turn.ts";
import { silentLogger } from "#component-base/logging.ts";
import { watchFiles } from "./watched-files.ts";

const settled = (): Promise<void> => new Promise((resolve) => nextTurn(resolve));

test("files are used anew when one of them has changed, and once more after what could not be used", async () => {
  const clock = new ManualClock();
  const files = new Map([
    ["cert", "1"],
    ["key", "1"],
  ]);
  const used: string[] = [];
  const read = async (path: string): Promise<string> => {
    const text = files.get(path);
    if (text === undefined) throw new Error("ENOENT");
    return text;
  };
  const stop = watchFiles(["cert", "", "key"], { clock, logger: silentLogger, read }, async () => {
    if (files.get("cert") !== files.get("key")) throw new Error("they do not go together");
    used.push(files.get("cert") ?? "");
  });
  const pass = async (): Promise<void> => {
    await settled();
    clock.advance(10_000);
    await settled();
  };
  await pass();
  expect(used).toEqual([]);
  files.set("cert", "2");
  await pass();
  expect(used).toEqual([]);
  files.set("key", "2");
  await pass();
  await pass();
  expect(used).toEqual(["2"]);
  files.delete("key");
  await pass();
  files.set("key", "2");
  await pass();
  expect(used).toEqual(["2"]);
  stop();
  files.set("cert", "3");
  files.set("key", "3");
  await pass();
  expect(used).toEqual(["2"]);
});
