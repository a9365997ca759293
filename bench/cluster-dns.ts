// Cluster DNS with many Services: an answer alone, one after a change, and a listener of UDP that a client elsewhere asks. Arguments: the
// number of Services, how many answers and changes. Prints what they took and its port as a line of JSON, then a line with its processor time
// whenever a line comes in, and ends with its input.
import { createInterface } from "node:readline";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { Forwarder } from "#cluster-dns/forward/forwarder.ts";
import { LoopProbe } from "#cluster-dns/forward/loop-probe.ts";
import { DnsMetrics } from "#cluster-dns/metrics.ts";
import { QueryHandler } from "#cluster-dns/server/query-handler.ts";
import { writeName } from "#cluster-dns/wire/dns-name.ts";
import { ZoneRecords } from "#cluster-dns/zone/zone-records.ts";
import { silentLogger } from "#component-base/logging.ts";
import { dnsSockets } from "../src/cmd/cluster-dns/sockets.ts";

const SERVICES = Number(process.argv[2] ?? 1_000);
const QUERIES = Number(process.argv[3] ?? 50_000);

const records = new ZoneRecords(0);
records.setNamespace({ metadata: { name: "default" } } as never, true, 0);
for (let i = 0; i < SERVICES; i++) {
  const spec = { clusterIP: `10.96.${i >> 8}.${i & 255}`, ports: [{ name: "http", port: 80, protocol: "TCP" }] };
  records.setService({ metadata: { name: `service-${i}`, namespace: "default" }, spec } as never, true, 0);
}
const common = { sockets: dnsSockets, clock: realClock, random: systemRandom, logger: silentLogger };
const metrics = new DnsMetrics("dns://:53");
const forwarder = new Forwarder({ ...common, upstreams: [], metrics });
const probe = new LoopProbe({ ...common, forwarder });
const settings = { zone: "cluster.local", pods: "insecure", nameServers: () => [] } as const;
const handler = new QueryHandler({ ...common, records, settings, isSynced: () => true, forwarder, probe, metrics });

const queries = Array.from({ length: SERVICES }, (_, i) => {
  const name = writeName(`service-${i}.default.svc.cluster.local`) ?? Buffer.of(0);
  return Buffer.concat([Buffer.from("000001000001000000000000", "hex"), name, Buffer.of(0, 1, 0, 1)]);
});
const client = { address: "10.0.0.1", port: 1 };

/** Microseconds of processor since `before`, for each of so many. */
function microsEach(before: NodeJS.CpuUsage, count: number): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

function answersAlone(count: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) void handler.handle(queries[i % SERVICES] as Buffer, client, false);
  return microsEach(before, count);
}

function changes(count: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    const spec = { clusterIP: `10.97.${(i >> 8) & 255}.${i & 255}`, ports: [{ name: "http", port: 80, protocol: "TCP" }] };
    records.setService({ metadata: { name: `service-${i % SERVICES}`, namespace: "default" }, spec } as never, true, i);
  }
  return microsEach(before, count);
}

const listener = await dnsSockets.listenUdp("127.0.0.1", 0, (bytes, from, reply) => {
  const answer = handler.handle(bytes, from, false);
  if (Buffer.isBuffer(answer)) reply(answer);
});
answersAlone(QUERIES);
const answerMicros = answersAlone(QUERIES);
changes(QUERIES);
const changeMicros = changes(QUERIES);
const say = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
say({ answerMicros, changeMicros, port: listener.port });
for await (const _ of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage();
  say({ cpuMicros: user + system });
}
await listener.close();
process.exit(0);
