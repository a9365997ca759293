// How fast cluster DNS answers with 1,000 Services: the answer alone, and over UDP with 64 queries under way. It is a program of its own:
// npx esbuild bench/cluster-dns.ts --bundle --platform=node --format=esm --conditions=source --outfile=FILE.mjs && node FILE.mjs
import { createSocket } from "node:dgram";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { Forwarder } from "#cluster-dns/forward/forwarder.ts";
import { LoopProbe } from "#cluster-dns/forward/loop-probe.ts";
import { DnsMetrics } from "#cluster-dns/metrics.ts";
import { QueryHandler } from "#cluster-dns/server/query-handler.ts";
import { writeName } from "#cluster-dns/wire/dns-name.ts";
import { ZoneRecords } from "#cluster-dns/zone/zone-records.ts";
import { silentLogger } from "#component-base/logging.ts";
import { dnsSockets } from "../src/cmd/cluster-dns-sockets.ts";

const SERVICES = Number(process.argv[2] ?? 1_000);
const QUERIES = Number(process.argv[3] ?? 50_000);
const UNDER_WAY = 64;

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

function answersAlone(count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) void handler.handle(queries[i % SERVICES] as Buffer, client, false);
  return (performance.now() - start) / count;
}

function changes(count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const spec = { clusterIP: `10.97.${(i >> 8) & 255}.${i & 255}`, ports: [{ name: "http", port: 80, protocol: "TCP" }] };
    records.setService({ metadata: { name: `service-${i % SERVICES}`, namespace: "default" }, spec } as never, true, i);
  }
  return (performance.now() - start) / count;
}

/** Milliseconds from each query to its answer, and of all. */
async function overUdp(count: number): Promise<{ latencies: number[]; ms: number }> {
  const listener = await dnsSockets.listenUdp("127.0.0.1", 0, (bytes, from, reply) => {
    const answer = handler.handle(bytes, from, false);
    if (Buffer.isBuffer(answer)) reply(answer);
  });
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.connect(listener.port, "127.0.0.1", resolve));
  const sentAt: number[] = [];
  const latencies: number[] = [];
  let sent = 0;
  const send = (): void => {
    const query = Buffer.from(queries[sent % SERVICES] as Buffer);
    query.writeUInt16BE(sent & 0xffff, 0);
    sentAt[sent & 0xffff] = performance.now();
    sent++;
    socket.send(query);
  };
  const start = performance.now();
  await new Promise<void>((resolve) => {
    socket.on("message", (answer) => {
      latencies.push(performance.now() - (sentAt[answer.readUInt16BE(0)] ?? 0));
      if (latencies.length === count) resolve();
      else if (sent < count) send();
    });
    for (let i = 0; i < UNDER_WAY; i++) send();
  });
  const ms = performance.now() - start;
  socket.close();
  await listener.close();
  return { latencies: latencies.toSorted((a, b) => a - b), ms };
}

answersAlone(QUERIES);
console.log(`${SERVICES} Services`);
console.log(`an answer: ${(answersAlone(QUERIES) * 1000).toFixed(1)} us`);
await overUdp(QUERIES);
const { latencies, ms } = await overUdp(QUERIES);
const at = (share: number): string => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2);
console.log(
  `over UDP, client in the same process: ${Math.round((QUERIES / ms) * 1000)} queries/s, median ${at(0.5)} ms, p99 ${at(0.99)} ms`,
);
console.log(`a change of a Service: ${(changes(20_000) * 1000).toFixed(1)} us`);
