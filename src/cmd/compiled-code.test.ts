import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { codeFolder, keepCode, keptCode, nameUnderOptions } from "./compiled-code.ts";

const CODE = Buffer.from("compiled");
let base: string;
let folder: string;
let me: number;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "kybern-code-"));
  folder = join(base, "cache/kybern");
  me = statSync(base).uid;
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

test.each([
  [{}, "/home/a/.cache/kybern"],
  [{ XDG_CACHE_HOME: "/var/cache/a" }, "/var/cache/a/kybern"],
  [{ XDG_CACHE_HOME: "relative" }, "/home/a/.cache/kybern"],
  [{ NODE_DISABLE_COMPILE_CACHE: "1" }, undefined],
])("with %j code is kept in %s", (env, want) => {
  expect(codeFolder(env, "/home/a")).toBe(want);
});

test.each([
  ["no options", [], {}, "program"],
  ["empty ones", [], { NODE_OPTIONS: "" }, "program"],
  ["options on the command line", ["--max-semi-space-size=64"], {}, "program-42"],
  ["options of the environment", [], { NODE_OPTIONS: "--max-semi-space-size=64" }, "program-42"],
])("code under %s has its name", (_, execArgv, env, want) => {
  expect(nameUnderOptions("program", { execArgv, env, tag: () => 42 })).toBe(want);
});

test("what was kept is found, for its user alone, and what other versions left is gone", () => {
  keepCode(folder, "older", CODE);
  keepCode(folder, "program", CODE);
  expect(readdirSync(folder)).toEqual(["program"]);
  expect(keptCode(join(folder, "program"), me)).toEqual(CODE);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, "program")).mode & 0o777).toBe(0o600);
});

test.each([
  ["there is none", () => rmSync(join(folder, "program"))],
  ["it is damaged", () => writeFileSync(join(folder, "program"), readFileSync(join(folder, "program")).fill(0, 34, 36))],
  ["it is cut off", () => writeFileSync(join(folder, "program"), readFileSync(join(folder, "program")).subarray(0, 36))],
  ["it is empty", () => writeFileSync(join(folder, "program"), "")],
  ["others may write it", () => chmodSync(join(folder, "program"), 0o666)],
])("nothing is used where %s", (_, change) => {
  keepCode(folder, "program", CODE);
  change();
  expect(keptCode(join(folder, "program"), me)).toBeUndefined();
});

test("nothing of another user's is used", () => {
  keepCode(folder, "program", CODE);
  expect(keptCode(join(folder, "program"), me + 1)).toBeUndefined();
});

test("that it cannot be kept fails nothing", () => {
  writeFileSync(join(base, "cache"), "a file");
  expect(() => keepCode(folder, "program", CODE)).not.toThrow();
});
