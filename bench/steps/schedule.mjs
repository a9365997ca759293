import { pod } from "../objects.mjs";
import { usage } from "../server.mjs";
import { countOf, expect, get, rate, sleep, until } from "./measure.mjs";

const CLIENTS = 32;
const HOST = "kubernetes.io/hostname";
const ZONE = "topology.kubernetes.io/zone";
const PRIORITY_CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses";
const PATIENCE_MS = 300_000;
const POLL_MS = 20;
/** What a simulated node has for pods, in thousandths of a processor. */
const NODE_CPU = 8_000;

/** What Pods of scheduler_perf's workloads have in their specs beside the container; they look for Pods of one colour. */
const TEMPLATES = {
  basic: () => ({}),
  affinity: (color) => ({ affinity: { podAffinity: terms("kubernetes.io/os", color) } }),
  antiAffinity: (color) => ({ affinity: { podAntiAffinity: terms(HOST, color) } }),
  affinityInZone: (color) => ({ affinity: { podAffinity: terms(ZONE, color) } }),
  antiAffinityOfNamespaces: (color) => ({ affinity: { podAntiAffinity: terms(HOST, color, { namespaceSelector: {} }) } }),
  topologySpread: (color) => spread(HOST, "DoNotSchedule", color),
  topologySpreadInZones: (color) => spread(ZONE, "DoNotSchedule", color),
  preferredAffinity: (color) => ({ affinity: { podAffinity: preferred(HOST, color) } }),
  preferredAntiAffinity: (color) => ({ affinity: { podAntiAffinity: preferred(HOST, color) } }),
  preferredTopologySpread: (color) => spread(HOST, "ScheduleAnyway", color),
  preferredTopologySpreadInZones: (color) => spread(ZONE, "ScheduleAnyway", color),
  nodeAffinity: () => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/os", operator: "In", values: ["linux"] }] }],
        },
      },
    },
  }),
};

const selector = (color) => ({ matchLabels: { color } });
function terms(topologyKey, color, more = {}) {
  return { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: selector(color), topologyKey, ...more }] };
}

function spread(topologyKey, whenUnsatisfiable, color) {
  return { topologySpreadConstraints: [{ maxSkew: 5, topologyKey, whenUnsatisfiable, labelSelector: selector(color) }] };
}

function preferred(topologyKey, color) {
  const podAffinityTerm = { labelSelector: selector(color), topologyKey };
  return { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm }] };
}

/**
 * Pods created until the scheduler has bound the last one; `template` is a key of {@link TEMPLATES} and the Pods' colour. `before`
 * are there already, of `beforeTemplate`.
 */
export async function schedule(context, { name, template = "basic", pods, before = 0, beforeTemplate = template, patienceMs }) {
  // Those that were there are of the colour that the others look for.
  const color = template;
  if (before > 0) await bindAll(context, () => TEMPLATES[beforeTemplate](color), before, color);
  const { boundMs, createdMs, cpuMs } = await bindAll(context, () => TEMPLATES[template](color), pods, color, patienceMs);
  context.report(name, Math.round((pods * 1000) / boundMs), "/s", {
    cpuMicros: (cpuMs * 1000) / pods,
    note: `all created after ${Math.round(createdMs)} ms, bound after ${Math.round(boundMs)} ms`,
  });
}

/** From when the last Pod of a {@link schedule} was bound until all of them run. Fails, and says why, if some are gone. */
export async function podsRunning(context, { name, template: color = "basic", pods, patienceMs = PATIENCE_MS }) {
  const [client] = await context.clients(1);
  const started = performance.now();
  const path = `${context.path("pods")}?labelSelector=color%3D${color}`;
  await until(
    "running Pods",
    async () => countOf(await get(client, `${path}&fieldSelector=status.phase!%3DRunning&limit=1`)) === 0,
    patienceMs,
    1_000,
  );
  context.report(name, Math.round(performance.now() - started), "ms", { less: true });
  const there = (await get(client, path)).items.length;
  if (there === pods) return;
  const evictions = await get(client, `${context.path("events")}?fieldSelector=reason%3DTaintManagerEviction`);
  throw new Error(`${there} Pods of ${pods} are there; ${evictions.items.length} Events tell of evictions`);
}

/** `specOf` gives what a Pod has in its spec beside a container. Waits for those of its colour alone. */
async function bindAll(context, specOf, pods, color, patienceMs = PATIENCE_MS) {
  const clients = await context.clients(CLIENTS);
  const path = context.path("pods");
  const cpuBefore = usage(context.server).cpuMs;
  const started = performance.now();
  await rate(context.server, clients, pods, async (client) => {
    const { metadata, ...rest } = pod(context.newName(), { labels: { color }, ...specOf() });
    const { namespace: _, ...own } = metadata;
    expect(201, await client.request("POST", path, JSON.stringify({ ...rest, metadata: own })));
  });
  const createdMs = performance.now() - started;
  const waiting = `${path}?labelSelector=color%3D${color}&fieldSelector=spec.nodeName%3D&limit=1`;
  // A list looks through many Pods: as long as one that it has shown waits, nothing else is asked.
  let known;
  const areBound = async () => {
    if (known !== undefined && !(await get(clients[0], `${path}/${known}`)).spec.nodeName) return false;
    known = (await get(clients[0], waiting)).items[0]?.metadata.name;
    return known === undefined;
  };
  await until("bound Pods", areBound, patienceMs, POLL_MS);
  return { createdMs, boundMs: performance.now() - started, cpuMs: usage(context.server).cpuMs - cpuBefore };
}

/** Less important Pods fill all nodes; then as many more important ones as there are nodes come, each of which takes the place of three. */
export async function preempt(context, { name, nodes }) {
  const [client] = await context.clients(1);
  await fillWithLessImportant(context, client, nodes);
  const { boundMs, cpuMs } = await bindAll(context, moreImportant, nodes, "high");
  const left = countOf(await get(client, `${context.path("pods")}?limit=1`));
  context.report(name, Math.round((nodes * 1000) / boundMs), "/s", {
    cpuMicros: (cpuMs * 1000) / nodes,
    note: `all bound after ${Math.round(boundMs)} ms, ${5 * nodes - left} others gone by then`,
  });
}

/** Pods that fit anywhere, on nodes full of less important ones, while every so many milliseconds comes one that takes the place of three. */
export async function besidePreemption(context, { name, nodes, pods, intervalMs = 200 }) {
  const [client] = await context.clients(CLIENTS + 1).then((all) => all.slice(-1));
  await fillWithLessImportant(context, client, nodes);
  let isDone = false;
  let came = 0;
  const come = async () => {
    for (; !isDone; came++) {
      const body = { metadata: { name: context.newName() }, spec: moreImportant() };
      expect(201, await client.request("POST", context.path("pods"), JSON.stringify(body)));
      await sleep(intervalMs);
    }
  };
  const coming = come();
  const { boundMs, cpuMs } = await bindAll(context, TEMPLATES.basic, pods, "basic").finally(() => {
    isDone = true;
  });
  await coming;
  const note = `bound after ${Math.round(boundMs)} ms, ${came} more important ones came`;
  context.report(name, Math.round((pods * 1000) / boundMs), "/s", { cpuMicros: (cpuMs * 1000) / pods, note });
}

const PRIORITIES = { low: 1, high: 1000 };

async function fillWithLessImportant(context, client, nodes) {
  for (const [priority, value] of Object.entries(PRIORITIES)) await makePriorityClass(client, `bench-${priority}`, value);
  await bindAll(context, () => wanting("low", 0.22), 4 * nodes, "low");
}

async function makePriorityClass(client, name, value) {
  const made = { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name }, value };
  const { status } = await client.request("POST", PRIORITY_CLASSES, JSON.stringify(made));
  // A step before has left it, where both are on one server.
  if (status !== 409) expect(201, { status, text: () => "a PriorityClass" });
}

/** Takes away what steps of preemption leave that is in no namespace. */
export async function removePriorities(context) {
  const [client] = await context.clients(1);
  for (const priority of Object.keys(PRIORITIES)) await client.request("DELETE", `${PRIORITY_CLASSES}/bench-${priority}`);
}

/** What is in the spec of a Pod that wants a part of a node's processor. */
function wanting(priority, part) {
  const requests = { cpu: `${Math.floor(NODE_CPU * part)}m` };
  const containers = [{ name: "main", image: "app:1", resources: { requests } }];
  return { priorityClassName: `bench-${priority}`, terminationGracePeriodSeconds: 0, containers };
}

const moreImportant = () => wanting("high", 0.7);

/** What upstream's churn makes and deletes: a node that takes no Pods, a Service, and a Pod that is more important than others and fits nowhere. */
const CHURNED = [
  { path: () => "/api/v1/nodes", status: { capacity: { pods: "0" }, conditions: [{ type: "Ready", status: "True" }] } },
  {
    path: (context) => context.path("pods"),
    spec: {
      priorityClassName: "bench-churned",
      containers: [{ name: "main", image: "app:1", resources: { requests: { cpu: "9", memory: "500Mi" } } }],
    },
  },
  {
    path: (context) => context.path("services"),
    spec: { selector: { app: "foo" }, ports: [{ protocol: "TCP", port: 8080, targetPort: 8080 }] },
  },
];

/** {@link schedule}, while one of each of {@link CHURNED} is made and deleted in turns, something of it every so many milliseconds. */
export async function churn(context, { name, pods, intervalMs = 200 }) {
  const [client] = await context.clients(CLIENTS + 1).then((all) => all.slice(-1));
  await makePriorityClass(client, "bench-churned", 10);
  let isDone = false;
  let changes = 0;
  const there = new Map();
  const change = async (one) => {
    const { path, ...body } = one;
    const known = there.get(one);
    if (known !== undefined) {
      there.delete(one);
      expect(200, await client.request("DELETE", `${path(context)}/${known}`));
      return;
    }
    const made = context.newName();
    expect(201, await client.request("POST", path(context), JSON.stringify({ metadata: { name: made }, ...body })));
    there.set(one, made);
  };
  const come = async () => {
    for (let due = performance.now() + intervalMs; !isDone; due += intervalMs) {
      await sleep(due - performance.now());
      for (const one of CHURNED) await change(one);
      changes++;
    }
    for (const one of [...there.keys()]) await change(one);
    expect(200, await client.request("DELETE", `${PRIORITY_CLASSES}/bench-churned`));
  };
  const coming = come();
  const { boundMs, cpuMs } = await bindAll(context, TEMPLATES.basic, pods, "basic").finally(() => {
    isDone = true;
  });
  await coming;
  const note = `bound after ${Math.round(boundMs)} ms, ${changes} times something came or went`;
  context.report(name, Math.round((pods * 1000) / boundMs), "/s", { cpuMicros: (cpuMs * 1000) / pods, note });
}
