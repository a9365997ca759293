import { findEtcd, startEtcd } from "../etcd.mjs";
import { connect } from "../http1-client.mjs";
import { configMap } from "../objects.mjs";
import { startServer, usage } from "../server.mjs";
import { connectAll, expect, rate } from "./measure.mjs";

const MAPS = "/api/v1/namespaces/default/configmaps";
const CLIENTS = 64;
const CREATES = 12_000;
const PUTS = 8_000;
const MIXED = 20_000;

/** The same load on the embedded store and on a member of etcd, which is left out where there is none. */
export async function stores(report) {
  await onStore(report, "embedded", []);
  const etcd = findEtcd();
  if (etcd === undefined) {
    console.log("  no etcd: hack/install-test-tools.sh brings it");
    return;
  }
  for (const type of ["application/json", "application/vnd.kubernetes.protobuf"]) {
    const member = await startEtcd(etcd);
    const name = type.endsWith("json") ? "etcd, JSON" : "etcd";
    await onStore(report, name, ["--etcd-servers", member.url, "--storage-media-type", type], member, etcd.version);
    await member.stop();
  }
}

/** Creates and changes by 64 clients, and seven reads to two changes and a create. */
async function onStore(report, store, args, member, version) {
  const server = await startServer({ args: ["--nodes", "0", ...args] });
  const clients = await connectAll(CLIENTS, () => connect(server));
  let made = 0;
  let serial = 0;
  const create = async (client) => expect(201, await client.request("POST", MAPS, configMap(`m-${made++}`)));
  const get = async (client, i) => expect(200, await client.request("GET", `${MAPS}/m-${i % CREATES}`));
  // Each client has an object of its own, so that nobody waits for another's revision.
  const put = async (client) => {
    const name = `m-${clients.indexOf(client)}`;
    expect(200, await client.request("PUT", `${MAPS}/${name}`, configMap(name, { serial: `s-${serial++}` })));
  };
  const mixed = (client, i) => (i % 10 < 7 ? get(client, i) : i % 10 < 9 ? put(client) : create(client));
  const measure = async (what, count, task) => {
    const before = member && usage(member.pid).cpuMs;
    const { perSecond, cpuMicros } = await rate(server, clients, count, task);
    const of = member && Math.round(((usage(member.pid).cpuMs - before) * 1000) / count);
    report.add(`${store}: ${what}`, perSecond, "/s", { cpuMicros, ...(member && { note: `etcd ${version}: ${of} µs` }) });
  };
  await rate(server, clients, 2_000, create);
  await measure("creates, 64 clients", CREATES, create);
  await measure("puts, 64 clients", PUTS, put);
  await measure("mixed, 64 clients", MIXED, mixed);
  const memory = Math.round(usage(server.pid).rssBytes / 1e6);
  const note = member && `etcd: ${Math.round(usage(member.pid).rssBytes / 1e6)} MB`;
  report.add(`${store}: memory under load`, memory, "MB", { less: true, ...(note && { note }) });
  for (const client of clients) client.close();
  await server.stop();
}
