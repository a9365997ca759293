// Fuzzes parsers with jsfuzz, each for some seconds: npm run fuzz -- [--seconds N] [--jobs N] [target ...]
//
// Inputs that show something new are kept in node_modules/.cache/kybern-fuzz/corpus/TARGET, faults in crashes/TARGET. A fault's input
// belongs into test/fuzz/corpus/TARGET once it is mended: it is an input to begin with from then on, and a test.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundleTarget, CACHE } from "./bundle.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(import.meta.url);
const CLI = require.resolve("jsfuzz/build/src/index.js");
/** Seconds after which an input counts as one that never ends. */
const HANG_SECONDS = 20;
const MEMORY_MIB = 1500;
/** Restarts after a fault; whoever looks at the first dozen will not wait for more. */
const FAULTS_MAX = 12;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "10" }, jobs: { type: "string", default: "1" } },
});

function filesIn(folder) {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** The seeds as files, beside what was found before. */
function prepareCorpus(name, loader) {
  const folder = join(CACHE, "corpus", name);
  mkdirSync(folder, { recursive: true });
  const kept = filesIn(join(here, "corpus", name)).map((path) => readFileSync(path));
  for (const bytes of [...require(loader).seeds(), ...kept]) {
    writeFileSync(join(folder, createHash("sha256").update(bytes).digest("hex")), bytes);
  }
  return folder;
}

/** Runs jsfuzz once, until the time is over or a fault ends it. */
function fuzzOnce(name, loader, corpus, seconds) {
  const crashes = join(CACHE, "crashes", name);
  mkdirSync(crashes, { recursive: true });
  const before = new Set(readdirSync(crashes));
  const limits = ["--timeout", String(HANG_SECONDS), "--rss-limit-mb", String(MEMORY_MIB)];
  // Its "versifier", which is on else, takes seconds to build and makes inputs of many megabytes.
  const args = [CLI, relative(crashes, loader), corpus, ...limits, "--versifier=false"];
  return new Promise((resolve) => {
    // A group of its own, so that a signal reaches jsfuzz and its worker.
    const child = spawn(process.execPath, args, { cwd: crashes, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let isOver = false;
    let stopped = false;
    const signal = (word) => {
      try {
        process.kill(-child.pid, word);
      } catch {
        // It has ended meanwhile.
      }
    };
    // A worker that is still being loaded knows nothing of signals yet: it would die of it, and jsfuzz blame its first input.
    const stopIfBegun = () => {
      if (!isOver || stopped || !/^#[1-9]/m.test(output)) return;
      stopped = true;
      signal("SIGINT");
    };
    const keep = (chunk) => {
      output = (output + chunk).slice(-20_000);
      stopIfBegun();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const stop = setTimeout(() => {
      isOver = true;
      stopIfBegun();
    }, seconds * 1000);
    const kill = setTimeout(() => signal("SIGKILL"), (seconds + HANG_SECONDS + 10) * 1000);
    child.on("close", () => {
      clearTimeout(stop);
      clearTimeout(kill);
      signal("SIGKILL");
      const found = readdirSync(crashes).filter((file) => file.startsWith("crash-") && !before.has(file));
      resolve({ found: found.map((file) => join(crashes, file)), output, stopped });
    });
  });
}

/** The fault in jsfuzz's output: what stands between its line and the file's name. */
function faultIn(output) {
  return output
    .slice(Math.max(0, output.lastIndexOf("=====")))
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("=====") && !line.includes("bundle.cjs") && !line.includes("at process."))
    .slice(0, 6)
    .join("\n  ");
}

function countIn(output, pattern) {
  return Number([...output.matchAll(pattern)].at(-1)?.[1] ?? 0);
}

async function fuzz(name) {
  const loader = await bundleTarget(name);
  const corpus = prepareCorpus(name, loader);
  const end = Date.now() + Number(values.seconds) * 1000;
  let [inputs, faults] = [0, 0];
  while (Date.now() < end && faults < FAULTS_MAX) {
    const { found, output, stopped } = await fuzzOnce(name, loader, corpus, Math.max(1, (end - Date.now()) / 1000));
    inputs += countIn(output, /^#(\d+) /gm);
    // It ends by itself only for a fault.
    const broken = found.length === 0 && !stopped;
    if (found.length === 0 && stopped) break;
    faults++;
    console.log(`${name}: ${broken ? output : faultIn(output)}`);
    for (const path of found) console.log(`  ${path}: ${JSON.stringify(readFileSync(path).toString("latin1").slice(0, 300))}`);
    if (broken) break;
  }
  console.log(`${name}: ${inputs} inputs or more, ${readdirSync(corpus).length} kept, ${faults} faults`);
  return faults;
}

const known = readdirSync(join(here, "targets")).map((file) => basename(file, ".ts"));
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`no such target: ${unknown.join(", ")}; there are ${known.join(", ")}`);
  process.exit(2);
}
const waiting = positionals.length > 0 ? positionals : known;
let faults = 0;
await Promise.all(
  Array.from({ length: Number(values.jobs) }, async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) faults += await fuzz(name);
  }),
);
process.exitCode = faults > 0 ? 1 : 0;
