import { closedAtEnd } from "../leftovers.mjs";
import { usage } from "../server.mjs";
import { countOf, expect, get, median, rate, sleep, until } from "./measure.mjs";

const CLIENTS = 32;
const PATIENCE_MS = 300_000;
const POLL_MS = 20;
/** How often somebody beats for Nodes that nobody runs. */
const BEAT_MS = 20_000;
const BEATING_CLIENTS = 4;
const DEPLOYMENTS = "/apis/apps/v1";
const MERGE_PATCH = { type: "application/merge-patch+json" };

/** Waits until all simulated nodes are Ready. */
export async function nodesReady(context, { name, nodes }) {
  const [client] = await context.clients(1);
  const started = performance.now();
  const isReady = ({ status }) => status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
  await until(
    "Ready nodes",
    async () => (await get(client, "/api/v1/nodes")).items.filter(isReady).length >= nodes,
    PATIENCE_MS,
    100,
  );
  const total = performance.now() - started + (context.server.readyMs ?? 0);
  if (name !== undefined) context.report(name, Math.round(total), "ms", { less: true, note: "from the start of the process" });
}

/**
 * Node objects that nobody runs, as scheduler_perf makes them, until the scheduler may use each. Their Pods are bound and go no
 * further. They are spread over so many `zones`. Gives what beats for them from then on, which controllers do not until
 * `node-monitor-grace-period`, 50 s, has passed: a workload that is done sooner is not disturbed. Of a server that others have, too, they
 * are taken away by `stop`.
 */
export async function idleNodes(context, { nodes, zones = 1, isShared = false }) {
  const clients = await context.clients(CLIENTS);
  let round;
  const beating = setInterval(() => {
    // On a machine that is busy one round may take longer than the time between them.
    round ??= beat(context, nodes)
      .catch(() => {})
      .finally(() => {
        round = undefined;
      });
  }, BEAT_MS);
  beating.unref();
  const remove = () =>
    rate(context.server, clients, nodes, async (client, i) => {
      const { status } = await client.request("DELETE", `/api/v1/nodes/idle-${i}`);
      if (status !== 404) expect(200, { status, text: () => "the DELETE of a Node" });
    });
  const forget = isShared ? closedAtEnd(remove) : undefined;
  const capacity = { cpu: "8", memory: "32Gi", pods: "110" };
  const ready = { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" };
  await rate(context.server, clients, nodes, async (client, i) => {
    const name = `idle-${i}`;
    const zone = `zone${1 + (i % zones)}`;
    const labels = { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "topology.kubernetes.io/zone": zone };
    const body = { metadata: { name, labels }, status: { capacity, allocatable: capacity, conditions: [ready] } };
    expect(201, await client.request("POST", "/api/v1/nodes", JSON.stringify(body)));
  });
  const isUsable = ({ spec }) => (spec.taints ?? []).length === 0;
  const usable = async () => (await get(clients[0], "/api/v1/nodes")).items.filter(isUsable).length;
  await until("Nodes without taints", async () => (await usable()) >= nodes, PATIENCE_MS, 100);
  return {
    stop: async () => {
      clearInterval(beating);
      await round;
      if (isShared) await remove();
      forget?.();
    },
  };
}

/** Renews the Leases of idle Nodes, on connections that no other step has: one takes one request at a time. */
async function beat(context, nodes) {
  const clients = (await context.clients(CLIENTS + 1 + BEATING_CLIENTS)).slice(-BEATING_CLIENTS);
  await rate(context.server, clients, nodes, async (client, i) => {
    const metadata = { name: `idle-${i}` };
    const renewTime = new Date().toISOString().replace("Z", "000Z");
    const spec = { holderIdentity: metadata.name, leaseDurationSeconds: 40, renewTime };
    const body = JSON.stringify({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec });
    const path = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${metadata.name}?fieldManager=bench&force=true`;
    await client.request("PATCH", path, body, { type: "application/apply-patch+yaml" });
  });
}

/** A Deployment of so many replicas: from the request until all are ready, rolled over, scaled down to a tenth, and gone. */
export async function deployment(context, { replicas }) {
  const [client] = await context.clients(1);
  const { namespace } = context.server;
  const all = `${DEPLOYMENTS}/namespaces/${namespace}/deployments`;
  const path = `${all}/big`;
  const labels = { app: "big" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "app:1" }] } };
  const strategy = { rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } };
  const spec = { replicas, selector: { matchLabels: labels }, template, strategy };
  const text = replicas.toLocaleString("en");
  const timed = async (what, request, isDone) => {
    const cpuBefore = usage(context.server).cpuMs;
    const started = performance.now();
    await request();
    await until(what, isDone, PATIENCE_MS, POLL_MS);
    const cpuMicros = ((usage(context.server).cpuMs - cpuBefore) * 1000) / replicas;
    context.report(`Deployment of ${text} ${what}`, Math.round(performance.now() - started), "ms", { less: true, cpuMicros });
  };
  const settled = (wanted) => async () => {
    const { metadata, status = {} } = await get(client, path);
    const { observedGeneration, updatedReplicas = 0, readyReplicas = 0, replicas: there = 0 } = status;
    return observedGeneration >= metadata.generation && [updatedReplicas, readyReplicas, there].every((one) => one === wanted);
  };
  const patch = (body) => client.request("PATCH", path, JSON.stringify(body), MERGE_PATCH).then((answer) => expect(200, answer));
  const body = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "big" }, spec };
  await timed("ready", async () => expect(201, await client.request("POST", all, JSON.stringify(body))), settled(replicas));
  const image = { spec: { template: { spec: { containers: [{ name: "main", image: "app:2" }] } } } };
  await timed("rolled", () => patch(image), settled(replicas));
  const tenth = Math.floor(replicas / 10);
  await timed("scaled to a tenth", () => patch({ spec: { replicas: tenth } }), settled(tenth));
  const pods = `${context.path("pods")}?labelSelector=app%3Dbig&limit=1`;
  const isGone = async () => countOf(await get(client, pods)) === 0;
  await timed("deleted, its last tenth", async () => expect(200, await client.request("DELETE", path)), isGone);
}

/** A namespace with so many objects, from its DELETE until it is gone. */
export async function namespaceDeleted(context, { name, objects }) {
  const clients = await context.clients(CLIENTS);
  const [client] = clients;
  const path = "/api/v1/namespaces/bench-full";
  expect(201, await client.request("POST", "/api/v1/namespaces", JSON.stringify({ metadata: { name: "bench-full" } })));
  await rate(context.server, clients, objects, async (one) => {
    const body = JSON.stringify({ metadata: { name: context.newName() }, data: { key: "value" } });
    expect(201, await one.request("POST", `${path}/configmaps`, body));
  });
  const cpuBefore = usage(context.server).cpuMs;
  const started = performance.now();
  expect(200, await client.request("DELETE", path));
  await until("end of the namespace", async () => (await client.request("GET", path)).status === 404, PATIENCE_MS, POLL_MS);
  const cpuMicros = ((usage(context.server).cpuMs - cpuBefore) * 1000) / objects;
  context.report(name, Math.round(performance.now() - started), "ms", { less: true, cpuMicros });
}

/** How soon controllers act on what clients do: the middle of several times. */
export async function reaction(context, { times = 10 }) {
  const [client] = await context.clients(1);
  const { namespace } = context.server;
  const apps = `${DEPLOYMENTS}/namespaces/${namespace}`;
  const create = async (path, body) => expect(201, await client.request("POST", path, JSON.stringify(body)));
  const found = (path) => async () => countOf(await get(client, path)) > 0;
  const waits = {
    "Deployment to its ReplicaSet": [],
    "Deployment to its Pod": [],
    "Pod to ready": [],
    "Service to its EndpointSlice": [],
  };
  for (let i = 0; i < times; i++) {
    const name = context.newName();
    const labels = { app: name };
    const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "app:1" }] } };
    const started = performance.now();
    await create(`${apps}/deployments`, { metadata: { name }, spec: { selector: { matchLabels: labels }, template } });
    await until("ReplicaSet", found(`${apps}/replicasets?labelSelector=app%3D${name}`));
    waits["Deployment to its ReplicaSet"].push(performance.now() - started);
    await until("Pod", found(`${context.path("pods")}?labelSelector=app%3D${name}`));
    waits["Deployment to its Pod"].push(performance.now() - started);
    const isReady = async () => (await get(client, `${apps}/deployments/${name}`)).status?.readyReplicas === 1;
    await until("ready Pod", isReady);
    waits["Pod to ready"].push(performance.now() - started);
    const exposed = performance.now();
    await create(context.path("services"), { metadata: { name }, spec: { selector: labels, ports: [{ port: 80 }] } });
    const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D${name}`;
    await until("EndpointSlice", async () =>
      (await get(client, slices)).items.some(({ endpoints }) => (endpoints ?? []).length > 0),
    );
    waits["Service to its EndpointSlice"].push(performance.now() - exposed);
  }
  for (const [what, all] of Object.entries(waits)) context.report(what, Number(median(all).toFixed(1)), "ms", { less: true });
}

/** Lets a cluster be for a while, so that what follows finds it settled. */
export async function wait(_, { ms }) {
  await sleep(ms);
}
