import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isBuilt, programPath } from "../support/program.ts";

/** Newer versions of Node keep compiled code themselves, elsewhere. */
const isKeptHere = !("enableCompileCache" in nodeModule);

describe.skipIf(!isBuilt)("the program's compiled code (needs dist/, which npm run build makes)", () => {
  let folder: string;
  const kept = (): string[] => readdirSync(folder).filter((name) => name.endsWith(`.${process.version}-${process.arch}`));
  const version = (env: NodeJS.ProcessEnv = {}): string =>
    execFileSync(process.execPath, [join(folder, "kybern.js"), "version"], {
      encoding: "utf8",
      env: { ...process.env, ...env },
    });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "kybern-compiled-"));
    cpSync(dirname(programPath), folder, { recursive: true });
    for (const name of kept()) rmSync(join(folder, name));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("is not written unasked, and not missed", () => {
    expect(version()).toContain("v1.36");
    expect(kept()).toEqual([]);
  });

  test("is written when it is asked for, and the program starts with it", () => {
    version({ KYBERN_KEEP_COMPILED: "1" });
    expect(kept()).toHaveLength(isKeptHere ? 1 : 0);
    expect(version()).toContain("v1.36");
  });

  test.each([
    ["cut short", (whole: Buffer) => whole.subarray(0, whole.length / 2)],
    ["of another version of V8", (whole: Buffer) => whole.fill(0x5a, 4, 8)],
    ["empty", () => Buffer.alloc(0)],
  ])("that is %s is ignored", (_, damage) => {
    version({ KYBERN_KEEP_COMPILED: "1" });
    for (const name of kept()) writeFileSync(join(folder, name), damage(readFileSync(join(folder, name))));
    expect(version()).toContain("v1.36");
  });
});
