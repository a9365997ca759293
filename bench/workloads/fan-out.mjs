import { connect } from "../http1-client.mjs";
import { openSession, watch } from "../http2-client.mjs";
import { configMap } from "../objects.mjs";
import { startServer, usage } from "../server.mjs";
import { connectAll, expect, rate, sleep } from "./measure.mjs";

const MAPS = "/api/v1/namespaces/default/configmaps";
const WATCHERS = 1_000;
const SESSIONS = 10;
const WRITERS = 64;
const EVENTS = 2_000;
const PATIENCE_MS = 60_000;

/** Events that reach 1,000 watchers while 64 clients create objects as fast as they can. */
export async function fanOut(report) {
  const server = await startServer({ args: ["--nodes", "0"] });
  const sessions = await connectAll(SESSIONS, () => openSession(server));
  let seen = 0;
  const onLines = (lines) => {
    seen += lines;
  };
  const begin = (_, i) => watch(sessions[i % SESSIONS], `${MAPS}?watch=1&labelSelector=bench`, onLines);
  await Promise.all(Array.from({ length: WATCHERS }, begin));
  const writers = await connectAll(WRITERS, () => connect(server));
  const before = usage(server.pid).cpuMs;
  const started = performance.now();
  await rate(server, writers, EVENTS, async (client, i) =>
    expect(201, await client.request("POST", MAPS, configMap(`w-${i}`, { bench: "1" }))),
  );
  while (seen < WATCHERS * EVENTS && performance.now() - started < PATIENCE_MS) await sleep(1);
  if (seen !== WATCHERS * EVENTS) throw new Error(`${seen} of ${WATCHERS * EVENTS} events arrived`);
  const seconds = (performance.now() - started) / 1000;
  const cpuMicros = ((usage(server.pid).cpuMs - before) * 1000) / seen;
  report.add("watch events to 1,000 watchers", Math.round(seen / seconds), "/s", {
    note: `${cpuMicros.toFixed(2)} µs CPU/event`,
  });
  for (const session of sessions) session.destroy();
  for (const writer of writers) writer.close();
  await server.stop();
}
