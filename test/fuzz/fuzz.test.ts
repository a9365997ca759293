import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { runGuarded } from "./guard.ts";
import type { FuzzTarget } from "./target.ts";

const here = import.meta.dirname;
const names = readdirSync(join(here, "targets")).map((file) => basename(file, ".ts"));

/** Inputs that once showed a fault. */
function corpus(name: string): Buffer[] {
  const folder = join(here, "corpus", name);
  return existsSync(folder) ? readdirSync(folder).map((file) => readFileSync(join(folder, file))) : [];
}

test.each(names)("%s takes what it begins with and what once was a fault", async (name) => {
  const { target } = (await import(`./targets/${name}.ts`)) as { target: FuzzTarget };
  await target.prepare?.();
  const seeds = target.seeds.map((seed) => Buffer.from(seed as string));
  expect(seeds.length).toBeGreaterThan(0);
  for (const bytes of [...seeds, ...corpus(name)]) {
    const run = (): void => runGuarded(target, bytes);
    expect(run, JSON.stringify(bytes.toString("latin1").slice(0, 200))).not.toThrow();
  }
});

test("a coverage-guided fuzzer finds no fault in a few seconds", { timeout: 240_000 }, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(here, "run.mjs"), "--seconds", "2", "--jobs", "2"], {
    encoding: "utf8",
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
});
