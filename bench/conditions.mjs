// What a run was measured under.
import { execFileSync } from "node:child_process";
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { removeFolder, temporaryFolder } from "./leftovers.mjs";
import { median } from "./steps/measure.mjs";

const SYNCS = 50;
const PAGE_BYTES = 4096;

/** The machine in a line: processor, memory, the disk that data is on, Node. */
export function machine() {
  const [{ model }] = cpus();
  const disk = diskSync();
  return [
    `${cpus().length} × ${model.trim()}`,
    `${Math.round(totalmem() / 2 ** 30)} GB of memory`,
    `${disk.type} that has 4 KB on the disk after ${disk.ms} ms (fdatasync, middle of ${SYNCS})`,
    `Linux ${release().split("-")[0]}`,
    `Node ${process.version}`,
  ].join(", ");
}

/** The commit that is measured, and the load that the machine has from others. */
export function moment() {
  return { commit: commit(), load: Number(loadavg()[0].toFixed(1)), date: new Date().toISOString().slice(0, 10) };
}

/** Processor time of all cores since the start of the machine, in ticks: used by it, and taken by others on the same hardware. */
export function ticks() {
  const [, user, nice, system, , , , , taken] = readFileSync("/proc/stat", "utf8").split("\n")[0].split(/ +/).map(Number);
  return { used: user + nice + system, taken };
}

/** What share of the processor time that was wanted here since then went to other machines, in hundredths. */
export function takenSince(before) {
  const now = ticks();
  const taken = now.taken - before.taken;
  return Math.round((100 * taken) / Math.max(1, taken + now.used - before.used));
}

/** How long a write of a page takes until it is on the disk that servers get their data on. */
function diskSync() {
  const folder = temporaryFolder("disk-");
  const file = openSync(join(folder, "file"), "w");
  const page = Buffer.alloc(PAGE_BYTES, "a");
  const times = [];
  for (let i = 0; i < SYNCS; i++) {
    writeSync(file, page);
    const started = performance.now();
    fdatasyncSync(file);
    times.push(performance.now() - started);
  }
  closeSync(file);
  const type = fileSystemOf(folder);
  removeFolder(folder);
  return { type, ms: Number(median(times).toFixed(2)) };
}

/** The type of the mount that a path is below. */
function fileSystemOf(path) {
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "));
  const isAbove = (mount) => path === mount || path.startsWith(mount === "/" ? "/" : `${mount}/`);
  const above = mounts.filter(([, mount]) => mount !== undefined && isAbove(mount));
  return above.sort(([, a], [, b]) => b.length - a.length)[0]?.[2] ?? "a file system";
}

function commit() {
  try {
    const of = { cwd: new URL("..", import.meta.url), encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] };
    const unrecorded = ["status", "--porcelain", "--untracked-files=no", "--", ".", ":!bench/results", ":!docs/benchmarks.md"];
    const changes = execFileSync("git", unrecorded, of).trim() === "" ? "" : " and changes";
    return `${execFileSync("git", ["rev-parse", "--short", "HEAD"], of).trim()}${changes}`;
  } catch {
    return "unknown";
  }
}
