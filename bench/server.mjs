// Starts `kybern up` as a process of its own and says what it uses.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "./http1-client.mjs";
import { ours, removeFolder, temporaryFolder } from "./leftovers.mjs";

/** Another build can be measured, and Node can be given options: `KYBERN_PROGRAM=dist/cmd/kybern.js KYBERN_NODE_ARGS=--cpu-prof`. */
const program = process.env.KYBERN_PROGRAM ?? fileURLToPath(new URL("../dist/cmd/kybern.js", import.meta.url));
const nodeArgs = (process.env.KYBERN_NODE_ARGS ?? "").split(" ").filter((arg) => arg !== "");
/** Further authorities that a machine gives every Node process: reading them takes 40 ms of each start, and is nothing of the server's. */
const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 3;

/** A port of loopback that nobody has. */
export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** PEM parts of a kubeconfig that carries them inline. */
function credentials(kubeconfig) {
  const part = (name) => Buffer.from(new RegExp(`${name}:\\s*"?([A-Za-z0-9+/=]+)`).exec(kubeconfig)[1], "base64");
  return { ca: part("certificate-authority-data"), cert: part("client-certificate-data"), key: part("client-key-data") };
}

/**
 * Resident memory in bytes, how much of it are pages of files (programs, and the store's, which the kernel takes back when it wants
 * to), and processor time in milliseconds of a server's processes on this machine, as the kernel counts them;
 * no numbers where none are known.
 */
export function usage({ pid, pids = [pid] }) {
  if (pids.length === 0) return { rssBytes: Number.NaN, fileBytes: Number.NaN, cpuMs: Number.NaN };
  const each = pids.map(usageOf);
  const sum = (what) => each.reduce((total, one) => total + one[what], 0);
  return { rssBytes: sum("rssBytes"), fileBytes: sum("fileBytes"), cpuMs: sum("cpuMs") };
}

function usageOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bytes = (what) => Number(new RegExp(`${what}:\\s+(\\d+)`).exec(status)[1]) * 1024;
  return { rssBytes: bytes("VmRSS"), fileBytes: bytes("RssFile"), cpuMs: (Number(stat[11]) + Number(stat[12])) * 10 };
}

/** Starts a server. `readyMs` is from the start of the process until `/readyz` answers 200, seen by a client outside. */
export async function startServer({ args = [], dir = temporaryFolder(), keep = false } = {}) {
  const port = await freePort();
  const started = performance.now();
  const command = [...nodeArgs, program, "up", "--data-dir", dir, "--secure-port", String(port), ...args];
  const child = ours(spawn(process.execPath, command, { stdio: ["ignore", "ignore", "inherit"], env: environment }));
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let auth;
  let client;
  let readyMs;
  const giveUp = async (why) => {
    child.kill("SIGKILL");
    await exited;
    if (!keep) removeFolder(dir);
    throw new Error(why);
  };
  while (readyMs === undefined) {
    if (child.exitCode !== null) await giveUp(`kybern up ended with ${child.exitCode}`);
    if (performance.now() - started > START_TIMEOUT_MS) await giveUp(`not ready after ${START_TIMEOUT_MS} ms`);
    try {
      auth ??= credentials(readFileSync(join(dir, "admin.kubeconfig"), "utf8"));
      // One connection: a handshake for each question would take from the server the time that is measured.
      client ??= await connect({ port, ...auth });
      if ((await client.request("GET", "/readyz")).status === 200) readyMs = performance.now() - started;
    } catch {
      // It does not listen yet.
    }
    if (readyMs === undefined) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  client.close();
  return {
    pid: child.pid,
    port,
    dir,
    readyMs,
    ...auth,
    async stop() {
      child.kill("SIGTERM");
      await exited;
      if (!keep) removeFolder(dir);
    },
  };
}
