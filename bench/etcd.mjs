// Starts a member of etcd as a process of its own, with data that it writes through to the disk.
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ours, removeFolder, temporaryFolder } from "./leftovers.mjs";

const POLL_MS = 20;
const START_TIMEOUT_MS = 20_000;
/** What `hack/install-test-tools.sh` lays beside the system's; etcd on the path where that is not there. */
const BESIDE = fileURLToPath(new URL("../node_modules/.cache/etcd-3.5/usr/bin", import.meta.url));

/** Where etcd is, and which; undefined where there is none. `KYBERN_ETCD` names a folder. */
export function findEtcd() {
  for (const bin of [process.env.KYBERN_ETCD, existsSync(BESIDE) ? BESIDE : undefined, ""]) {
    if (bin === undefined) continue;
    try {
      const text = execFileSync(join(bin, "etcd"), ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      return { bin, version: /etcd Version: (\S+)/.exec(text)[1] };
    } catch {
      // Not there.
    }
  }
  return undefined;
}

async function freePorts(count) {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve) => {
          const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Starts one member; resolves when it takes requests. */
export async function startEtcd({ bin }) {
  const dir = temporaryFolder("etcd-");
  const [client, peer] = await freePorts(2);
  const url = `http://127.0.0.1:${client}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  const addresses = ["--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls", peerUrl];
  const cluster = ["--initial-advertise-peer-urls", peerUrl, "--initial-cluster", `default=${peerUrl}`];
  const args = ["--data-dir", dir, "--log-level", "error", ...addresses, ...cluster];
  const child = ours(spawn(join(bin, "etcd"), args, { stdio: "ignore" }));
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const started = performance.now();
  while (!(await isHealthy(url))) {
    if (child.exitCode !== null || performance.now() - started > START_TIMEOUT_MS) {
      child.kill("SIGKILL");
      await exited;
      removeFolder(dir);
      throw new Error("etcd does not start");
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return {
    pid: child.pid,
    url,
    async stop() {
      child.kill("SIGTERM");
      await exited;
      removeFolder(dir);
    },
  };
}

async function isHealthy(url) {
  return fetch(`${url}/health`).then(
    async (answer) => (await answer.json()).health === "true",
    () => false,
  );
}
