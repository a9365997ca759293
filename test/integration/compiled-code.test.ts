import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../support/kubectl.ts";
import { isBuilt, Program, programPath } from "../support/program.ts";

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

  test.runIf(isKeptHere)(
    "of who gives V8 options is kept in the user's folder, beside what the build left, and used",
    async () => {
      version({ KYBERN_KEEP_COMPILED: "1" });
      const cache = join(folder, "cache");
      const env = { ...process.env, XDG_CACHE_HOME: cache, NODE_OPTIONS: "--max-semi-space-size=32" };
      const own = (): string[] => readdirSync(join(cache, "kybern")).map((name) => join(cache, "kybern", name));
      const runAWhile = async (): Promise<void> => {
        const flags = ["--data-dir", join(folder, "data"), "--secure-port", "0", "--nodes", "0", "--storage-backend", "memory"];
        await using program = new Program(["up", ...flags], { file: join(folder, "kybern.js"), env });
        await eventually(() => program.stdout.includes("is up"), 20_000, "the banner");
        // Less is not worth keeping what was compiled.
        await setTimeout(3_500);
        program.kill("SIGTERM");
        expect(await program.exited).toBe(0);
      };
      await runAWhile();
      expect(own()).toHaveLength(1);
      expect(own()[0]).toMatch(/\.v\d+\.\d+\.\d+-\w+-\d+$/);
      const [written] = own().map((path) => statSync(path).ino);
      await runAWhile();
      // V8 took it: what it refuses is written anew.
      expect(own().map((path) => statSync(path).ino)).toEqual([written]);
    },
  );
});
