import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Context } from "../context.mjs";
import { removeFolder, temporaryFolder } from "../leftovers.mjs";
import { usage } from "../server.mjs";
import { fill } from "./list.mjs";
import { load } from "./load.mjs";
import { sleep } from "./measure.mjs";

const PROGRAM_FOLDER = fileURLToPath(new URL("../../dist/cmd", import.meta.url));
const CLIENTS = 64;

/**
 * From process start to `/readyz` 200: on an empty directory (keys, certificates and system objects are made), and so many `times`
 * again on the same, once with nothing of the program and the data in the kernel's memory. With `objects` so many Pods are there by
 * then, and only the later starts are told. Starts servers of its own.
 */
export async function start(context, { objects = 0, suffix = "", times = 1 }, target) {
  const dir = temporaryFolder();
  const first = await target.start({ dir, keep: true });
  if (objects > 0) {
    const filling = new Context(first, () => {});
    await fill(filling, { object: "pod", count: objects });
    filling.close();
  }
  await first.stop();
  const told = (what, { readyMs }) =>
    context.report(`start to /readyz, ${what}${suffix}`, Math.round(readyMs), "ms", { less: true });
  if (objects === 0) told("new data", first);
  const again = async (what) => {
    const server = await target.start({ dir, keep: true });
    await server.stop();
    told(what, server);
  };
  for (let i = 0; target.keeps && i < times; i++) await again("kept data");
  if (target.keeps && forget([dir, PROGRAM_FOLDER])) await again("kept data, read from the disk");
  removeFolder(dir);
}

/** Has the kernel drop what it holds of the files in some folders. Gives whether it could be asked: GNU's `dd` does it. */
function forget(folders) {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
  );
  return files.every((file) => spawnSync("dd", [`if=${file}`, "iflag=nocache", "count=0"], { stdio: "ignore" }).status === 0);
}

/** Memory and processor of a server while 64 clients read and write (seven reads to two changes and a create). */
export async function busy(context, { count }) {
  await load(context, { request: "mixed", clients: CLIENTS, count: Math.ceil(count / 4) });
  const before = usage(context.server);
  const started = performance.now();
  await load(context, { request: "mixed", clients: CLIENTS, count });
  const after = usage(context.server);
  context.report("memory among 64 clients", Math.round(after.rssBytes / 1e6), "MB", { less: true });
  const cores = (after.cpuMs - before.cpuMs) / (performance.now() - started);
  context.report("processor among 64 clients", Math.round(100 * cores), "%", { less: true, note: "of a core" });
}

/** Memory and processor of a cluster with which nobody does anything. */
export async function rest(context, { suffix = "", settleMs = 8_000, restMs = 10_000 }) {
  await sleep(settleMs);
  const before = usage(context.server);
  await sleep(restMs);
  const after = usage(context.server);
  const note = `${Math.round(after.fileBytes / 1e6)} MB of it pages of files`;
  context.report(`idle memory${suffix}`, Math.round(after.rssBytes / 1e6), "MB", { less: true, note });
  const busy = (100 * (after.cpuMs - before.cpuMs)) / restMs;
  context.report(`processor at rest${suffix}`, Number(busy.toFixed(2)), "%", { less: true });
}

/** What the server holds now. */
export function memory(context, { name }) {
  context.report(name, Math.round(usage(context.server).rssBytes / 1e6), "MB", { less: true });
}
