import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../server.mjs";

/** From process start to `/readyz` 200: on an empty directory (keys, certificates and system objects are made), and again on the same. */
export async function start(report) {
  const dir = mkdtempSync(join(tmpdir(), "kybern-bench-"));
  const first = await startServer({ dir, keep: true });
  await first.stop();
  const second = await startServer({ dir, keep: true });
  await second.stop();
  rmSync(dir, { recursive: true, force: true });
  report.add("start to /readyz, new data", Math.round(first.readyMs), "ms", { less: true });
  report.add("start to /readyz, kept data", Math.round(second.readyMs), "ms", { less: true });
}
