import { connect } from "../http1-client.mjs";
import { openSession, request } from "../http2-client.mjs";
import { configMap, pod } from "../objects.mjs";
import { startServer, usage } from "../server.mjs";
import { connectAll, expect, lists, rate } from "./measure.mjs";

const MAPS = "/api/v1/namespaces/default/configmaps";
const PODS = "/api/v1/namespaces/default/pods";
const POD_COUNT = 5_000;

/** Creates, gets and lists with no nodes, so that nothing but the API server works. */
export async function requests(report) {
  const server = await startServer({ args: ["--nodes", "0"] });
  const clients = await connectAll(64, () => connect(server));
  const one = clients.slice(0, 1);
  const session = await openSession(server);
  const streams = Array.from({ length: 64 }, () => session);
  let made = 0;
  const create = async (client) => expect(201, await client.request("POST", MAPS, configMap(`m-${made++}`)));
  const create2 = async () => expect(201, await request(session, "POST", MAPS, configMap(`m-${made++}`)));
  const get = async (client, i) => expect(200, await client.request("GET", `${MAPS}/m-${i % made}`));
  const get2 = async (_, i) => expect(200, await request(session, "GET", `${MAPS}/m-${i % made}`));
  const measure = async (what, on, count, task) => {
    const { perSecond, cpuMicros } = await rate(server, on, count, task);
    report.add(what, perSecond, "/s", { cpuMicros });
  };
  await rate(server, clients, 2_000, create);
  await measure("creates, 1 client", one, 3_000, create);
  await measure("creates, 64 clients", clients, 15_000, create);
  await measure("creates, 64 streams of HTTP/2", streams, 10_000, create2);
  await rate(server, clients, 2_000, get);
  await measure("gets, 1 client", one, 10_000, get);
  await measure("gets, 64 clients", clients, 40_000, get);
  await measure("gets, 64 streams of HTTP/2", streams, 20_000, get2);
  let pods = 0;
  await measure("pod creates, 64 clients", clients, POD_COUNT, async (client) =>
    expect(201, await client.request("POST", PODS, pod(`p-${pods++}`, { schedulerName: "nobody" }))),
  );
  await lists(report, server, "LIST of 5,000 pods", () => one[0].request("GET", PODS));
  await lists(report, server, "LIST of 5,000 pods, HTTP/2", () => request(session, "GET", PODS));
  report.add("memory under load", Math.round(usage(server.pid).rssBytes / 1e6), "MB", { less: true });
  for (const client of clients) client.close();
  session.destroy();
  await server.stop();
}
