import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "../http1-client.mjs";
import { ours, removeFolder, temporaryFolder } from "../leftovers.mjs";
import { configMap } from "../objects.mjs";
import { connectAll, expect, median, rate } from "./measure.mjs";

const PROGRAM = fileURLToPath(new URL("../bare-server.mjs", import.meta.url));
const MAPS = "/api/v1/namespaces/default/configmaps";
/** What the bare servers write to, and what they are called in the report. */
const BARE = { log: "bare Node, a log", lmdb: "bare Node, LMDB" };
const CLIENTS = [1, 64];
const CLIENTS_MAX = 64;

/**
 * Creates beside what Node, TLS and the disk take of one by themselves: bare servers that answer when the body is in a log, as ours does,
 * or in LMDB (`bare-server.mjs`), and ours take turns, each of `rounds` with one client and with many. The best rate of each, and the
 * middle of the processor times.
 */
export async function bareCreates(context, { warmUp, alone, together, rounds }) {
  const { server } = context;
  const dir = temporaryFolder("bare-");
  const bare = [];
  const sides = [{ name: "ours", server, figures: new Map() }];
  try {
    for (const [medium, name] of Object.entries(BARE)) {
      const folder = join(dir, medium);
      mkdirSync(folder);
      const one = await startBare(medium, folder, join(server.dir, "pki"));
      bare.push(one);
      sides.unshift({ name, server: { ...server, pid: one.pid, pids: [one.pid], port: one.port }, figures: new Map() });
    }
    for (const side of sides) {
      side.clients = await connectAll(CLIENTS_MAX, () => connect(side.server));
      await creates(context, side, CLIENTS_MAX, warmUp);
    }
    for (let round = 0; round < rounds; round++) {
      for (const side of round % 2 === 0 ? sides : [...sides].reverse()) {
        for (const clients of CLIENTS) {
          const figure = await creates(context, side, clients, clients === 1 ? alone : together);
          side.figures.set(clients, [...(side.figures.get(clients) ?? []), figure]);
        }
      }
    }
    for (const clients of CLIENTS) {
      for (const { name, figures } of sides) {
        const all = figures.get(clients);
        const middle = (of) => median(all.map((one) => one[of]));
        const more = { cpuMicros: middle("cpuMicros"), p50Ms: middle("p50Ms"), p99Ms: middle("p99Ms") };
        context.report(`creates, ${clients} at a time, ${name}`, Math.max(...all.map((one) => one.perSecond)), "/s", more);
      }
    }
  } finally {
    for (const { clients = [] } of sides) for (const client of clients) client.close();
    await Promise.all(bare.map((one) => one.stop()));
    removeFolder(dir);
  }
}

function creates(context, { server, clients }, count, requests) {
  const type = "application/json";
  return rate(server, clients.slice(0, count), requests, async (client) =>
    expect(201, await client.request("POST", MAPS, JSON.stringify(configMap(context.newName())), { type, accept: type })),
  );
}

async function startBare(medium, dir, pki) {
  const child = ours(spawn(process.execPath, [PROGRAM, medium, dir, pki], { stdio: ["ignore", "pipe", "inherit"] }));
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
  };
  const port = await Promise.race([new Promise((resolve) => child.stdout.once("data", (line) => resolve(Number(line)))), exited]);
  return { pid: child.pid, port, stop };
}
