import { connect } from "../http1-client.mjs";
import { pod } from "../objects.mjs";
import { startServer } from "../server.mjs";
import { connectAll, expect, rate, sleep } from "./measure.mjs";

const PODS = "/api/v1/namespaces/default/pods";
const NODES = 100;
const COUNT = 3_000;
const PATIENCE_MS = 120_000;

/** Pods created over HTTPS until the scheduler has bound the last one; the simulated nodes run them meanwhile. */
export async function scheduling(report) {
  const server = await startServer({ args: ["--nodes", String(NODES)] });
  const clients = await connectAll(32, () => connect(server));
  await sleep(2_000);
  const started = performance.now();
  await rate(server, clients, COUNT, async (client, i) => expect(201, await client.request("POST", PODS, pod(`s-${i}`))));
  const created = performance.now() - started;
  for (;;) {
    const answer = await clients[0].request("GET", `${PODS}?fieldSelector=spec.nodeName=&limit=1`, undefined, { keep: true });
    if (JSON.parse(expect(200, answer).text()).items.length === 0) break;
    if (performance.now() - started > PATIENCE_MS) throw new Error(`pods were not bound within ${PATIENCE_MS} ms`);
    await sleep(10);
  }
  const bound = performance.now() - started;
  report.add(`pods bound, ${NODES} nodes`, Math.round((COUNT * 1000) / bound), "/s", {
    note: `all created after ${Math.round(created)} ms, bound after ${Math.round(bound)} ms`,
  });
  for (const client of clients) client.close();
  await server.stop();
}
