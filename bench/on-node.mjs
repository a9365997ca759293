// Runs on a machine of the bench where containerd runs: what it takes until real containers run, seen through the API. Argument: the
// settings as JSON. Prints the figures as JSON: name, value, unit and more of each.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "./http1-client.mjs";
import { endSession, openSession, watch } from "./http2-client.mjs";
import { freePort, startServer, usage } from "./server.mjs";
import { expect, median, sleep, until } from "./steps/measure.mjs";

const { image, containerd, starts, oneByOne, together, restMs } = JSON.parse(process.argv[2]);
const PODS = "/api/v1/namespaces/default/pods";
const NETWORK = "/etc/cni/net.d";
const PATIENCE_MS = 60_000;
/** After many pods have started, until what follows from it is done. */
const SETTLE_MS = 10_000;
const nodeArgs = (process.env.KYBERN_NODE_ARGS ?? "").split(" ").filter((arg) => arg !== "");
const program = process.env.KYBERN_PROGRAM ?? new URL("../dist/cmd/kybern.js", import.meta.url).pathname;

const figures = [];
const report = (name, value, unit, more = {}) => figures.push([name, Number(value.toFixed(2)), unit, { less: true, ...more }]);
const middle = (times, part) => [...times].sort((a, b) => a - b)[Math.floor(part * (times.length - 1))] ?? 0;
const spread = (times) => ({ p50Ms: Math.round(middle(times, 0.5)), p99Ms: Math.round(middle(times, 0.99)) });

/** It goes with the machine: volumes of pods may still be mounted there. */
const ownFolder = () => ({ dir: mkdtempSync(join(tmpdir(), "kybern-bench-")), keep: true });

/** Follows all pods; `when(name, holds)` gives the time at which the first event came for which it holds. */
class Watching {
  #waiting = new Set();
  /** The last state of each pod, for who waits in vain. */
  #last = new Map();
  #rest = "";
  #session;

  static async start(server) {
    const watching = new Watching();
    watching.#session = await openSession(server);
    await watch(watching.#session, `${PODS}?watch=1&timeoutSeconds=600`, (_, chunk) => watching.#take(chunk), server);
    return watching;
  }

  when(name, holds) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        const last = JSON.stringify(this.#last.get(name));
        reject(new Error(`${name} is not there after ${PATIENCE_MS} ms: ${last}`));
      }, PATIENCE_MS);
      const done = (at) => {
        clearTimeout(late);
        resolve(at);
      };
      this.#waiting.add({ name, holds, done });
    });
  }

  #take(chunk) {
    const now = performance.now();
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop();
    for (const line of lines) {
      const { type, object } = JSON.parse(line);
      this.#last.set(object.metadata.name, object.status);
      for (const waiting of this.#waiting) {
        if (waiting.name !== object.metadata.name || !waiting.holds({ type, ...object })) continue;
        this.#waiting.delete(waiting);
        waiting.done(now);
      }
    }
  }

  close() {
    endSession(this.#session);
  }
}

const stateOf = ({ status }) => status?.containerStatuses?.[0]?.state ?? {};
const isRunning = (pod) => stateOf(pod).running !== undefined;
const isGone = ({ type }) => type === "DELETED";

/** Ends as soon as it is asked to. */
const WAITS = "trap 'exit 0' TERM; sleep 2147483647 & wait";

function pod(name, command = WAITS) {
  const containers = [{ name: "main", image, imagePullPolicy: "Never", command: ["sh", "-c", command] }];
  return JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec: { restartPolicy: "Never", containers } });
}

const create = async (client, body) => expect(201, await client.request("POST", PODS, body));
const remove = async (client, name) => expect(200, await client.request("DELETE", `${PODS}/${name}`));

/** From the start of `kybern up` on an empty data directory until a pod that asks by name has its answer. */
async function upToDns() {
  const started = performance.now();
  const server = await startServer({ args: ["--node-runtime=containerd"], ...ownFolder() });
  try {
    const client = await connect(server);
    const watching = await Watching.start(server);
    const body = pod("asks", "until nslookup kubernetes.default.svc.cluster.local; do sleep 0.05; done");
    const running = watching.when("asks", (one) => isRunning(one) || stateOf(one).terminated !== undefined);
    const answered = watching.when("asks", (one) => stateOf(one).terminated?.exitCode === 0);
    // Pods are refused until their namespace has its account.
    await until("pod", async () => (await client.request("POST", PODS, body)).status === 201, PATIENCE_MS, 5);
    const createdMs = performance.now() - started;
    const runningMs = (await running) - started;
    const answeredMs = (await answered) - started;
    const gone = watching.when("asks", isGone);
    await remove(client, "asks");
    await gone;
    watching.close();
    client.close();
    return { readyMs: server.readyMs, createdMs, runningMs, answeredMs };
  } finally {
    await server.stop();
  }
}

/** A kubelet as a process of its own, so that what it takes can be told from what the control plane takes. */
async function startKubelet(server) {
  // In the place of what `kybern up` configured for its own. The folder stays: containerd looks at it.
  mkdirSync(NETWORK, { recursive: true });
  for (const file of readdirSync(NETWORK)) rmSync(join(NETWORK, file));
  writeFileSync(join(NETWORK, "10-bench.conflist"), JSON.stringify(network()));
  const [port, healthzPort] = [await freePort(), await freePort()];
  const dir = join(server.dir, "kubelet");
  const args = [
    `--kubeconfig=${join(server.dir, "admin.kubeconfig")}`,
    `--client-ca-file=${join(server.dir, "pki/ca.pem")}`,
    `--root-dir=${dir}`,
    `--cert-dir=${join(dir, "pki")}`,
    `--port=${port}`,
    `--healthz-port=${healthzPort}`,
    "--fail-swap-on=false",
  ];
  const child = spawn(process.execPath, [...nodeArgs, program, "kubelet", ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = (said + chunk).slice(-4_000);
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const isHealthy = () => {
    if (child.exitCode !== null) throw new Error(`the kubelet ended with ${child.exitCode}: ${said}`);
    return new Promise((resolve) => {
      const asked = request({ host: "127.0.0.1", port: healthzPort, path: "/healthz", agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      });
      asked.on("error", () => resolve(false)).end();
    });
  };
  await until("healthy kubelet", isHealthy, PATIENCE_MS, 50);
  return {
    pid: child.pid,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function network() {
  const ipam = { type: "host-local", ranges: [[{ subnet: "10.251.0.0/24" }]], dataDir: "/run/bench-addresses" };
  const bridge = { type: "bridge", bridge: "bench0", isGateway: true, hairpinMode: true, ipam };
  return { cniVersion: "0.4.0", name: "bench", plugins: [bridge] };
}

async function nodeReady(client) {
  let said = "nothing of it";
  const isReady = async () => {
    const { items } = JSON.parse(expect(200, await client.request("GET", "/api/v1/nodes", undefined, { keep: true })).text());
    const [node] = items;
    said = JSON.stringify([node?.spec, node?.status?.conditions]);
    const isTrue = node?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
    return isTrue && (node.spec.taints ?? []).length === 0;
  };
  await until("ready node", isReady, PATIENCE_MS, 50).catch((error) => {
    throw new Error(`the node: ${said}`, { cause: error });
  });
  await until("service account", async () => (await client.request("POST", `${PODS}?dryRun=All`, pod("try"))).status === 201);
}

/** One pod after another: the time of each from its POST until the API says that its container runs, and until it is gone. */
async function alone(client, watching, kubelet) {
  const times = [];
  const ends = [];
  const cpuBefore = usage(kubelet).cpuMs;
  for (let i = 0; i < oneByOne; i++) {
    const name = `alone-${i}`;
    const running = watching.when(name, isRunning);
    const at = performance.now();
    await create(client, pod(name));
    times.push((await running) - at);
    const gone = watching.when(name, isGone);
    const asked = performance.now();
    await remove(client, name);
    ends.push((await gone) - asked);
  }
  const cpuMicros = ((usage(kubelet).cpuMs - cpuBefore) * 1000) / oneByOne;
  report("Pod created to container running, one by one", middle(times, 0.5), "ms", { cpuMicros, ...spread(times) });
  report("Pod deleted to gone, one by one", middle(ends, 0.5), "ms", spread(ends));
}

/** Many pods at once, what they take when nothing happens, and their end. */
async function crowd(server, watching, kubelet) {
  const clients = await Promise.all(Array.from({ length: together }, () => connect(server)));
  const names = clients.map((_, i) => `crowd-${i}`);
  await rest(kubelet, "no pods");
  const started = performance.now();
  const ups = names.map((name) => watching.when(name, isRunning));
  await Promise.all(clients.map((one, i) => create(one, pod(names[i]))));
  const times = (await Promise.all(ups)).map((at) => at - started);
  const text = `${together} Pods at once`;
  report(`${text}, all containers running`, Math.max(...times), "ms", spread(times));
  await sleep(SETTLE_MS);
  await rest(kubelet, `${together} pods`);
  const asked = performance.now();
  const gone = names.map((name) => watching.when(name, isGone));
  await Promise.all(clients.map((one, i) => remove(one, names[i])));
  const ends = (await Promise.all(gone)).map((at) => at - asked);
  report(`${text}, all gone`, Math.max(...ends), "ms", spread(ends));
  for (const one of clients) one.close();
}

async function rest(kubelet, what) {
  const before = usage(kubelet);
  await sleep(restMs);
  const after = usage(kubelet);
  report(`kubelet's memory, ${what}`, Math.round(after.rssBytes / 1e6), "MB");
  report(`kubelet's processor at rest, ${what}`, (100 * (after.cpuMs - before.cpuMs)) / restMs, "%");
}

async function kubeletAlone() {
  const server = await startServer({ args: ["--nodes=0", "--node-runtime=simulated"], ...ownFolder() });
  try {
    const client = await connect(server);
    const kubelet = await startKubelet(server);
    try {
      await nodeReady(client);
      const watching = await Watching.start(server);
      await alone(client, watching, kubelet);
      await crowd(server, watching, kubelet);
      watching.close();
    } finally {
      await kubelet.stop();
    }
    client.close();
  } finally {
    await server.stop();
  }
}

const tries = [];
for (let i = 0; i < starts; i++) tries.push(await upToDns());
const note = `containerd ${containerd}, files in memory`;
for (const [name, key] of [
  ["kybern up on containerd to /readyz", "readyMs"],
  ["kybern up to a pod taken by the API", "createdMs"],
  ["kybern up to a container running", "runningMs"],
  ["kybern up to DNS answering from a pod", "answeredMs"],
]) {
  const times = tries.map((one) => one[key]);
  report(name, Math.round(median(times)), "ms", { note });
}
await kubeletAlone();
console.log(JSON.stringify(figures));
process.exit(0);
