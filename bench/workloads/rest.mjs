import { startServer, usage } from "../server.mjs";
import { sleep } from "./measure.mjs";

const SETTLE_MS = 8_000;
const REST_MS = 10_000;

/** Memory and processor of a cluster with which nobody does anything. */
export async function rest(report) {
  const server = await startServer();
  await sleep(SETTLE_MS);
  const before = usage(server.pid);
  await sleep(REST_MS);
  const after = usage(server.pid);
  report.add("idle memory", Math.round(after.rssBytes / 1e6), "MB", { less: true });
  report.add("processor at rest", Number(((100 * (after.cpuMs - before.cpuMs)) / REST_MS).toFixed(2)), "%", { less: true });
  await server.stop();
}
