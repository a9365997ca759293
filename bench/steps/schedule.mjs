import { pod } from "../objects.mjs";
import { usage } from "../server.mjs";
import { countOf, expect, get, rate, sleep, until } from "./measure.mjs";

const CLIENTS = 32;
const HOST = "kubernetes.io/hostname";
const ZONE = "topology.kubernetes.io/zone";
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
  const classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
  for (const [priority, value] of Object.entries({ low: 1, high: 1000 })) {
    const made = { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name: `bench-${priority}` }, value };
    expect(201, await client.request("POST", classes, JSON.stringify(made)));
  }
  const wanting = (priority, part) => ({
    priorityClassName: `bench-${priority}`,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "main", image: "app:1", resources: { requests: { cpu: `${Math.floor(NODE_CPU * part)}m` } } }],
  });
  await bindAll(context, () => wanting("low", 0.22), 4 * nodes, "low");
  const { boundMs, cpuMs } = await bindAll(context, () => wanting("high", 0.7), nodes, "high");
  const left = countOf(await get(client, `${context.path("pods")}?limit=1`));
  context.report(name, Math.round((nodes * 1000) / boundMs), "/s", {
    cpuMicros: (cpuMs * 1000) / nodes,
    note: `all bound after ${Math.round(boundMs)} ms, ${5 * nodes - left} others gone by then`,
  });
}

/** {@link schedule}, while nodes, Services and Pods that fit nowhere come and go every so many milliseconds. */
export async function churn(context, { name, pods, intervalMs = 200 }) {
  const [client] = await context.clients(CLIENTS + 1).then((all) => all.slice(-1));
  const hopeless = { containers: [{ name: "main", image: "app:1", resources: { requests: { cpu: "1000" } } }] };
  let isDone = false;
  let rounds = 0;
  const come = async () => {
    while (!isDone) {
      const other = context.newName();
      const paths = ["/api/v1/nodes", context.path("services"), context.path("pods")];
      const bodies = [{}, { spec: { ports: [{ port: 80 }], selector: { app: other } } }, { spec: hopeless }];
      for (const [i, path] of paths.entries())
        expect(201, await client.request("POST", path, JSON.stringify({ metadata: { name: other }, ...bodies[i] })));
      await sleep(intervalMs);
      for (const path of paths) expect(200, await client.request("DELETE", `${path}/${other}?gracePeriodSeconds=0`));
      rounds++;
    }
  };
  const coming = come();
  const { boundMs, cpuMs } = await bindAll(context, TEMPLATES.basic, pods, "basic").finally(() => {
    isDone = true;
  });
  await coming;
  const note = `bound after ${Math.round(boundMs)} ms, ${rounds} times something came and went`;
  context.report(name, Math.round((pods * 1000) / boundMs), "/s", { cpuMicros: (cpuMs * 1000) / pods, note });
}
