import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { openLmdbStore } from "#storage/lmdb/open-lmdb-store.ts";

const projectRoot = join(import.meta.dirname, "../../..");
let dir = "";
let script = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "kybern-crash-"));
  // Beside the project's dependencies, which stay outside the bundle.
  script = join(projectRoot, "node_modules/.cache", `crash-${Date.now()}.mjs`);
  await build({
    entryPoints: [join(import.meta.dirname, "crash-writer.ts")],
    outfile: script,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["lmdb"],
    conditions: ["source"],
    logLevel: "error",
  });
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
  await rm(script, { force: true });
});

/** Runs the writer until it has acknowledged `writes` more, kills it, and returns all that it acknowledged. */
function runAndKill(writes: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, join(dir, "store")], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    let lines = 0;
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      lines += chunk.split("\n").length - 1;
      if (lines >= writes) child.kill("SIGKILL");
    });
    child.on("error", reject);
    child.on("close", (_, signal) => {
      if (signal !== "SIGKILL") return reject(new Error(`the writer ended by itself: ${output.slice(0, 500)}`));
      resolve(output.slice(0, output.lastIndexOf("\n")).split("\n"));
    });
  });
}

/** After how many acknowledged writes the writer is killed: at once, while everything is in the log alone, and when much is in LMDB. */
const KILLS = [1, 2000, 20, 300, 4000, 3, 700];
/** How often all of that is done. */
const TIMES = Number(process.env.PROPERTY_RUNS ?? "1");

test("after kill -9 under load every acknowledged write is found, again and again", { timeout: 60_000 * TIMES }, async () => {
  for (const writes of Array.from({ length: TIMES }, () => KILLS).flat()) {
    const acknowledged = await runAndKill(writes);
    expect(acknowledged.length).toBeGreaterThanOrEqual(writes);
    const store = await openLmdbStore({ dir: join(dir, "store"), clock: realClock });
    const missing: string[] = [];
    let newest = 0;
    for (const line of acknowledged) {
      const [revision = 0, key = "", name] = line.split(" ");
      newest = Math.max(newest, Number(revision));
      const { kv } = await store.get(key, { revision: Number(revision) });
      if (kv === undefined || Buffer.from(kv.value).toString().trim() !== name) missing.push(line);
    }
    expect(missing).toEqual([]);
    expect(await store.currentRevision()).toBeGreaterThanOrEqual(newest);
    await store.close();
  }
});
