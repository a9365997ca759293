// Measures `kybern up` as its users meet it: over HTTPS, as a process of its own. Figures depend on the machine; the
// last column says how they stand to upstream v1.36 with etcd on a machine of two cores.

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { pod } from "./pod.mjs";
import { rate, request, startServer, usage } from "./server.mjs";

const rows = [];
function report(what, value, unit, upstream, better) {
  const ratio = upstream === undefined ? undefined : better === "less" ? upstream / value : value / upstream;
  rows.push({ what, value, unit, ...(upstream === undefined ? {} : { upstream, timesBetter: Number(ratio.toFixed(1)) }) });
  console.log(
    `${what.padEnd(44)} ${String(value).padStart(9)} ${unit.padEnd(9)} ${upstream === undefined ? "" : `upstream ${upstream}: ${ratio.toFixed(1)} times better`}`,
  );
}
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const PODS = "/api/v1/namespaces/default/pods";
const MAPS = "/api/v1/namespaces/default/configmaps";

async function startAndRest() {
  const ready = [];
  for (let i = 0; i < 3; i++) {
    const server = await startServer();
    ready.push(server.readyMs);
    if (i === 2) {
      await sleep(5000);
      const before = usage(server.pid);
      await sleep(5000);
      const after = usage(server.pid);
      report("idle memory", Math.round(after.rssBytes / 1024 / 1024), "MB", 523, "less");
      report("processor at rest", Number(((after.cpuMs - before.cpuMs) / 50).toFixed(1)), "%");
    }
    await server.stop();
  }
  report("process start to /readyz", Math.round(ready.sort((a, b) => a - b)[1]), "ms", 2900, "less");
}

async function throughput() {
  const server = await startServer(["--nodes", "0"]);
  const session = server.connect();
  await sleep(500);
  const map = (i) => JSON.stringify({ metadata: { name: `m-${i}` }, data: { key: "value" } });
  let made = 0;
  const create = async () => {
    const { status, text } = await request(session, "POST", MAPS, map(made++));
    if (status !== 201) throw new Error(`create: ${status} ${text()}`);
  };
  await rate(500, 8, create);
  report("creates, 1 client", await rate(2000, 1, create), "/s", 485);
  report("creates, 64 clients", await rate(12000, 64, create), "/s", 1494);
  const get = async (i) => {
    const { status } = await request(session, "GET", `${MAPS}/m-${i % made}`);
    if (status !== 200) throw new Error(`get: ${status}`);
  };
  report("gets, 1 client", await rate(6000, 1, get), "/s", 696);
  report("gets, 64 clients", await rate(30000, 64, get), "/s", 1855);
  let pods = 0;
  await rate(5000, 64, async () => {
    const { status, text } = await request(session, "POST", PODS, pod(`p-${pods++}`, { schedulerName: "nobody" }));
    if (status !== 201) throw new Error(`pod: ${status} ${text()}`);
  });
  await request(session, "GET", PODS);
  const started = performance.now();
  let bytes = 0;
  for (let i = 0; i < 10; i++) ({ bytes } = await request(session, "GET", PODS));
  report(
    `LIST of 5,000 pods (${(bytes / 1e6).toFixed(1)} MB)`,
    Math.round((performance.now() - started) / 10),
    "ms",
    195,
    "less",
  );
  report("memory under load", Math.round(usage(server.pid).rssBytes / 1024 / 1024), "MB", 900, "less");
  session.close();
  await server.stop();
}

async function fanOut() {
  const server = await startServer(["--nodes", "0"]);
  const sessions = Array.from({ length: 4 }, () => server.connect());
  const WATCHERS = 1000;
  const EVENTS = 200;
  let seen = 0;
  const newline = 10;
  const streams = Array.from({ length: WATCHERS }, (_, i) => {
    const stream = sessions[i % 4].request({ ":path": `${MAPS}?watch=1&labelSelector=bench` });
    stream.on("data", (chunk) => {
      for (const byte of chunk) if (byte === newline) seen++;
    });
    stream.on("error", () => {});
    return stream;
  });
  await Promise.all(streams.map((stream) => new Promise((resolve) => stream.once("response", resolve))));
  const writer = server.connect();
  const started = performance.now();
  await rate(EVENTS, 8, (i) =>
    request(writer, "POST", MAPS, JSON.stringify({ metadata: { name: `w-${i}`, labels: { bench: "1" } }, data: { k: "v" } })),
  );
  while (seen < WATCHERS * EVENTS && performance.now() - started < 60_000) await sleep(2);
  report("watch events to 1,000 watchers", Math.round(seen / ((performance.now() - started) / 1000)), "/s", 88000);
  for (const session of [...sessions, writer]) session.destroy();
  await server.stop();
}

async function scheduling() {
  const server = await startServer(["--nodes", "100"]);
  const session = server.connect();
  await sleep(2000);
  const COUNT = 3000;
  const started = performance.now();
  await rate(COUNT, 32, async (i) => {
    const { status, text } = await request(session, "POST", PODS, pod(`s-${i}`));
    if (status !== 201) throw new Error(`pod: ${status} ${text()}`);
  });
  for (;;) {
    const { text } = await request(session, "GET", `${PODS}?fieldSelector=spec.nodeName=&limit=1`);
    if (JSON.parse(text()).items.length === 0) break;
    if (performance.now() - started > 60_000) throw new Error("pods were not bound within 60 s");
    await sleep(20);
  }
  report("pods created and bound, 100 nodes", Math.round(COUNT / ((performance.now() - started) / 1000)), "/s");
  session.destroy();
  await server.stop();
}

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GB\n`);
const only = process.argv[2];
for (const workload of [startAndRest, throughput, fanOut, scheduling]) if (!only || workload.name === only) await workload();
mkdirSync(new URL("results/", import.meta.url), { recursive: true });
writeFileSync(
  new URL("results/latest.json", import.meta.url),
  `${JSON.stringify({ node: process.version, cpus: cpus().length, rows }, null, 2)}\n`,
);
