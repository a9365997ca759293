import { connect } from "../http1-client.mjs";
import { openSession, watch } from "../http2-client.mjs";
import { configMap } from "../objects.mjs";
import { startServer, usage } from "../server.mjs";
import { connectAll, expect, median, sleep } from "./measure.mjs";

const MAPS = "/api/v1/namespaces/default/configmaps";
const WATCHES = 10_000;
const SESSIONS = 100;
const EVENTS = 20;
const REST_MS = 3_000;
const PATIENCE_MS = 60_000;

/**
 * 10,000 open watches, half of everything and half of one object each, as kubelets watch: how long they take to open, what
 * each holds in memory, what they cost at rest, and how long after a write the last watcher has the event.
 */
export async function watches(report) {
  const server = await startServer({ args: ["--nodes", "0"] });
  const client = await connect(server);
  const sessions = await connectAll(SESSIONS, () => openSession(server));
  await sleep(1_000);
  const before = usage(server.pid);
  let seen = 0;
  const onLines = (lines) => {
    seen += lines;
  };
  const query = "?watch=1&allowWatchBookmarks=true";
  const begin = (_, i) => {
    const one = i % 2 === 0 ? "" : `&fieldSelector=metadata.name%3Do-${i}`;
    return watch(sessions[i % SESSIONS], `${MAPS}${query}${one}`, onLines);
  };
  const started = performance.now();
  for (let at = 0; at < WATCHES; at += 1_000) await Promise.all(Array.from({ length: 1_000 }, (_, i) => begin(_, at + i)));
  const opened = performance.now() - started;
  const cpuMicros = ((usage(server.pid).cpuMs - before.cpuMs) * 1000) / WATCHES;
  report.add("10,000 watches opened", Math.round(opened), "ms", { less: true, cpuMicros });
  await sleep(REST_MS);
  const open = usage(server.pid);
  report.add("memory of 10,000 watches", Math.round((open.rssBytes - before.rssBytes) / 1e6), "MB", {
    less: true,
    note: `${((open.rssBytes - before.rssBytes) / 1e3 / WATCHES).toFixed(1)} KB each`,
  });
  await sleep(REST_MS);
  const busy = (100 * (usage(server.pid).cpuMs - open.cpuMs)) / REST_MS;
  report.add("processor at rest, 10,000 watches", Number(busy.toFixed(2)), "%", { less: true });
  report.add("write to its events at 5,000 of 10,000", await latency(), "ms", { less: true });
  for (const session of sessions) session.destroy();
  client.close();
  await server.stop();

  /** The middle of the times from a write until all who watch everything have its event. */
  async function latency() {
    const times = [];
    for (let i = 0; i < EVENTS; i++) {
      seen = 0;
      const written = performance.now();
      expect(201, await client.request("POST", MAPS, configMap(`n-${i}`)));
      while (seen < WATCHES / 2) {
        if (performance.now() - written > PATIENCE_MS) throw new Error(`${seen} of ${WATCHES / 2} events arrived`);
        await sleep(0);
      }
      times.push(performance.now() - written);
    }
    return Number(median(times).toFixed(1));
  }
}
