import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Context } from "../context.mjs";
import { usage } from "../server.mjs";
import { fill } from "./list.mjs";
import { sleep } from "./measure.mjs";

/**
 * From process start to `/readyz` 200: on an empty directory (keys, certificates and system objects are made), and again on the
 * same, where so many `objects` are. Starts servers of its own.
 */
export async function start(context, { objects = 0, suffix = "" }, target) {
  const dir = mkdtempSync(join(tmpdir(), "kybern-bench-"));
  const first = await target.start({ dir, keep: true });
  if (objects > 0) {
    const filling = new Context(first, () => {});
    await fill(filling, { object: "pod", count: objects });
    filling.close();
  }
  await first.stop();
  context.report(`start to /readyz, new data${suffix}`, Math.round(first.readyMs), "ms", { less: true });
  if (target.keeps) {
    const second = await target.start({ dir, keep: true });
    await second.stop();
    context.report(`start to /readyz, kept data${suffix}`, Math.round(second.readyMs), "ms", { less: true });
  }
  rmSync(dir, { recursive: true, force: true });
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
