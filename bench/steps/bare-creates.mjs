import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "../http1-client.mjs";
import { configMap } from "../objects.mjs";
import { connectAll, expect, median, rate } from "./measure.mjs";

const PROGRAM = fileURLToPath(new URL("../bare-server.mjs", import.meta.url));
const MAPS = "/api/v1/namespaces/default/configmaps";
const CLIENTS = [1, 64];
const CLIENTS_MAX = 64;

/**
 * Creates beside what Node, TLS and LMDB take of one by themselves: a bare server that answers after the same writes (`bare-server.mjs`)
 * and ours take turns, each of `rounds` with one client and with many. The best rate of each, and the middle of the processor times.
 */
export async function bareCreates(context, { warmUp, alone, together, rounds }) {
  const { server } = context;
  const dir = mkdtempSync(join(tmpdir(), "kybern-bench-bare-"));
  const bare = await startBare(dir, join(server.dir, "pki"));
  const sides = [
    { name: "bare Node", server: { ...server, pid: bare.pid, pids: [bare.pid], port: bare.port }, figures: new Map() },
    { name: "ours", server, figures: new Map() },
  ];
  try {
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
    await bare.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

function creates(context, { server, clients }, count, requests) {
  const type = "application/json";
  return rate(server, clients.slice(0, count), requests, async (client) =>
    expect(201, await client.request("POST", MAPS, JSON.stringify(configMap(context.newName())), { type, accept: type })),
  );
}

async function startBare(dir, pki) {
  const child = spawn(process.execPath, [PROGRAM, dir, pki], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
  };
  const port = await Promise.race([new Promise((resolve) => child.stdout.once("data", (line) => resolve(Number(line)))), exited]);
  return { pid: child.pid, port, stop };
}
