// Starts `kybern up` as a process of its own and speaks to it over HTTPS.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http2 from "node:http2";
import https from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../dist/cmd/kybern.js", import.meta.url));

function freePort() {
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

/** Resident memory in bytes and processor time in milliseconds, as the kernel counts them. */
export function usage(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return { rssBytes: Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1024, cpuMs: (Number(stat[11]) + Number(stat[12])) * 10 };
}

export async function startServer(args = []) {
  const dir = mkdtempSync(join(tmpdir(), "kybern-bench-"));
  const port = await freePort();
  const started = performance.now();
  const child = spawn(process.execPath, [program, "up", "--data-dir", dir, "--secure-port", String(port), ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let auth;
  let readyMs;
  while (readyMs === undefined) {
    if (child.exitCode !== null) throw new Error(`kybern up ended with ${child.exitCode}`);
    if (performance.now() - started > 30_000) throw new Error("not ready after 30 s");
    try {
      auth ??= credentials(readFileSync(join(dir, "admin.kubeconfig"), "utf8"));
      if ((await get(port, auth, "/readyz")).status === 200) readyMs = performance.now() - started;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
  }
  return {
    pid: child.pid,
    port,
    readyMs,
    ...auth,
    connect: () => {
      const session = http2.connect(`https://127.0.0.1:${port}`, auth);
      session.on("error", () => {});
      return session;
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function get(port, auth, path) {
  return new Promise((resolve, reject) => {
    https
      .get({ host: "127.0.0.1", port, path, ...auth, agent: false }, (res) => {
        res.resume();
        res.on("end", () => resolve({ status: res.statusCode }));
      })
      .on("error", reject);
  });
}

/** One request on an HTTP/2 session. `read` false counts bytes only. */
export function request(session, method, path, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": method,
      ":path": path,
      ...(body ? { "content-type": "application/json" } : {}),
      ...headers,
    });
    let status;
    let bytes = 0;
    const chunks = [];
    stream.on("response", (h) => {
      status = h[":status"];
    });
    stream.on("data", (chunk) => {
      bytes += chunk.length;
      chunks.push(chunk);
    });
    stream.on("end", () => resolve({ status, bytes, text: () => Buffer.concat(chunks).toString() }));
    stream.on("error", reject);
    stream.end(body);
  });
}

/** Runs `task(i)` for i in [0, count) with `clients` at once; returns how many ended per second. */
export async function rate(count, clients, task) {
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (let i = next++; i < count; i = next++) await task(i);
    }),
  );
  return Math.round(count / ((performance.now() - started) / 1000));
}
