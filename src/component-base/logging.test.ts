import { createRequire } from "node:module";
import { afterEach, expect, test, vi } from "vitest";
import { createLogger } from "./logging.ts";

const fs: typeof import("node:fs") = createRequire(import.meta.url)("node:fs");

afterEach(() => void vi.restoreAllMocks());

test.each([
  ["debug", ["debug", "info", "warn", "error"]],
  ["warn", ["warn", "error"]],
  ["silent", []],
] as const)("level %s writes %j, one JSON object a line, on standard error", (level, written) => {
  const lines: string[] = [];
  vi.spyOn(fs, "writeSync").mockImplementation(((fd: number, text: string) => {
    if (fd === 2) lines.push(text);
    return text.length;
  }) as typeof fs.writeSync);
  const child = createLogger({ component: "test", level }).child({ part: "inner" });
  for (const name of ["debug", "info", "warn", "error"] as const) child[name]({ n: 1 }, name);
  const shown = written.map((msg) => expect.objectContaining({ component: "test", part: "inner", n: 1, msg }));
  expect(lines.map((line) => JSON.parse(line))).toEqual(shown);
});
