import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { createInterface } from "node:readline";
import { bundle } from "../bundle.mjs";
import { ours } from "../leftovers.mjs";

/** A header that asks one question, and wants recursion. */
const HEADER = Buffer.from("000001000001000000000000", "hex");
const A_IN = Buffer.of(0, 1, 0, 1);
/** How long nothing may come, in milliseconds: a query or its answer was lost then. */
const SILENCE_MS = 5_000;

/**
 * Cluster DNS as a process of its own with so many Services, asked over UDP by `clients` that wait for each answer: queries a
 * second, its processor time for each, and how long they took; beside them the answer and a change of a Service alone.
 */
export async function clusterDns(context, { services = 1000, queries = 50_000, clients = [1, 64] }) {
  const { path, remove } = await bundle("cluster-dns");
  const server = ours(spawn(process.execPath, [path, String(services), String(queries)], { stdio: ["pipe", "pipe", "inherit"] }));
  const exited = new Promise((resolve) => server.once("exit", resolve));
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const said = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("the server of names has ended");
    return JSON.parse(value);
  };
  const cpuMicros = async () => {
    server.stdin.write("\n");
    return (await said()).cpuMicros;
  };
  try {
    const { answerMicros, changeMicros, port } = await said();
    const among = `${services.toLocaleString("en")} Services`;
    context.report(`a DNS answer alone, ${among}`, Number(answerMicros.toFixed(2)), "µs", { less: true });
    context.report(`a change of a Service in DNS, ${among}`, Number(changeMicros.toFixed(2)), "µs", { less: true });
    await ask(port, { services, queries: Math.ceil(queries / 5), underWay: 64 });
    for (const underWay of clients) {
      const before = await cpuMicros();
      const { perSecond, p50Ms, p99Ms } = await ask(port, { services, queries, underWay });
      const each = ((await cpuMicros()) - before) / queries;
      const name = `DNS queries over UDP, ${underWay} client${underWay === 1 ? "" : "s"}, ${among}`;
      context.report(name, perSecond, "/s", { cpuMicros: each, p50Ms, p99Ms });
    }
  } finally {
    server.stdin.end();
    server.kill("SIGTERM");
    await exited;
    remove();
  }
}

/** Each of the clients has a socket, and one query under way. */
async function ask(port, { services, queries, underWay }) {
  const times = new Float64Array(queries);
  const sockets = Array.from({ length: underWay }, () => createSocket("udp4"));
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.connect(port, "127.0.0.1", resolve))));
  let next = 0;
  let done = 0;
  const started = performance.now();
  try {
    await new Promise((resolve, reject) => {
      const lost = setTimeout(() => reject(new Error(`${done} of ${queries} answers came`)), SILENCE_MS);
      for (const socket of sockets) {
        let sentAt = 0;
        const send = () => {
          if (next === queries) return;
          sentAt = performance.now();
          socket.send(query(next++ % services));
        };
        socket.on("error", reject);
        socket.on("message", (answer) => {
          times[done++] = performance.now() - sentAt;
          // An answer, of no error, with one record.
          if ((answer[2] & 0x80) === 0 || (answer[3] & 15) !== 0 || answer.readUInt16BE(6) !== 1)
            reject(new Error(`an answer that is none: ${answer.toString("hex")}`));
          if (done % 100 === 0) lost.refresh();
          if (done === queries) {
            clearTimeout(lost);
            resolve();
          } else send();
        });
        send();
      }
    });
  } finally {
    for (const socket of sockets) socket.close();
  }
  const seconds = (performance.now() - started) / 1000;
  times.sort();
  const [p50Ms, p99Ms] = [0.5, 0.99].map((part) => Number((times[Math.floor(part * (queries - 1))] ?? 0).toFixed(3)));
  return { perSecond: Math.round(queries / seconds), p50Ms, p99Ms };
}

/** Asks for the address of a Service. */
function query(i) {
  const labels = `service-${i}.default.svc.cluster.local`.split(".");
  const name = labels.flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]);
  return Buffer.concat([HEADER, ...name, Buffer.of(0), A_IN]);
}
