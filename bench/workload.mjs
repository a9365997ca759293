// Reads a workload of `workloads/*.yaml` and runs its steps against a target.
import { readdirSync, readFileSync } from "node:fs";
import { load as parse } from "js-yaml";
import { Context } from "./context.mjs";
import { authCost } from "./steps/auth-cost.mjs";
import { bareCreates } from "./steps/bare-creates.mjs";
import { deployment, namespaceDeleted, nodesReady, reaction, wait } from "./steps/cluster.mjs";
import { clusterDns } from "./steps/cluster-dns.mjs";
import { customResources } from "./steps/custom-resources.mjs";
import { fill, list } from "./steps/list.mjs";
import { load } from "./steps/load.mjs";
import { node } from "./steps/node.mjs";
import { busy, memory, rest, start } from "./steps/process.mjs";
import { churn, podsRunning, preempt, schedule } from "./steps/schedule.mjs";
import { schedulerPerf } from "./steps/scheduler-perf.mjs";
import { serviceRules } from "./steps/service-rules.mjs";
import { fanOut, openWatches, watchLatency, watchList } from "./steps/watches.mjs";
import { webhooks } from "./steps/webhooks.mjs";

/** What a step of a workload may be; `docs/benchmarks.md` says what each takes. */
const STEPS = {
  load,
  fill,
  list,
  fanOut,
  watchLatency,
  openWatches,
  watchList,
  start,
  rest,
  busy,
  memory,
  nodesReady,
  schedule,
  podsRunning,
  preempt,
  churn,
  schedulerPerf,
  deployment,
  namespaceDeleted,
  reaction,
  wait,
  customResources,
  webhooks,
  node,
  serviceRules,
  clusterDns,
  bareCreates,
  authCost: (context) => authCost({ add: (...figure) => context.report(...figure) }),
};
/** Steps that only servers are asked for which the bench started itself. */
const OURS_ONLY = new Set(["start", "nodesReady", "webhooks", "authCost", "bareCreates", "serviceRules", "clusterDns", "node"]);
/** Steps about processes, which must be known. */
const OF_PROCESSES = new Set(["rest", "busy", "memory", "openWatches"]);

const folder = new URL("workloads/", import.meta.url);

/** All workloads by name. */
export function workloads() {
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
  const all = files.map((file) => ({ name: file.replace(".yaml", ""), ...parse(readFileSync(new URL(file, folder), "utf8")) }));
  return new Map(all.sort((a, b) => (a.order ?? 100) - (b.order ?? 100)).map((one) => [one.name, one]));
}

/**
 * The steps of a workload, of its whole size or of that for a few minutes. A step with a `matrix` stands for one of each
 * combination; `{key}` in its name becomes the value. A step with `full: true` is in whole runs only; `{ short, full }` in place
 * of a value is one for each size.
 */
export function stepsOf(workload, isFull) {
  const sized = (value) => {
    if (Array.isArray(value)) return value.map(sized);
    if (value === null || typeof value !== "object") return value;
    if ("short" in value) return isFull ? value.full : value.short;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, sized(one)]));
  };
  return workload.steps
    .filter(({ full }) => isFull || full !== true)
    .flatMap(({ matrix = {}, full: _, ...step }) =>
      combinations(Object.entries(sized(matrix))).map((values) => filled({ ...sized(step), ...values })),
    );
}

function combinations([first, ...rest]) {
  if (first === undefined) return [{}];
  const [key, values] = first;
  return values.flatMap((value) => combinations(rest).map((others) => ({ [key]: value, ...others })));
}

function filled(step) {
  if (step.name === undefined) return step;
  return {
    ...step,
    name: step.name.replaceAll(/\{(\w+)\}/g, (_, key) =>
      typeof step[key] === "number" ? step[key].toLocaleString("en") : step[key],
    ),
  };
}

/** How long one step may take, in milliseconds, where it does not say so by `patienceMs`: what hangs must not keep the others waiting. */
const STEP_MS = 600_000;

/** Runs a workload once; `add` takes each figure. What the target cannot be asked is said by `skip`, what is being done to `progress`. */
export async function runWorkload(workload, target, { isFull, add, skip, progress }) {
  const steps = stepsOf(workload, isFull);
  const unknown = steps.find(({ step }) => STEPS[step] === undefined);
  if (unknown !== undefined)
    throw new Error(`${workload.name}: there is no step ${unknown.step}; there are ${Object.keys(STEPS).join(", ")}`);
  if (!target.isOurs && (workload.nodes ?? 0) !== 0 && workload.needsNodes !== false) {
    skip(`${workload.name} needs nodes that run Pods: not measured on ${target.name}`);
    return;
  }
  const server = workload.ownServers === true ? undefined : await target.start(sizes(workload, isFull));
  const context = new Context(server, add, skip);
  try {
    for (const [i, { step, ...settings }] of steps.entries()) {
      progress.step(i, steps.length, settings.name ?? step);
      const isMissing = (!target.isOurs && OURS_ONLY.has(step)) || (!target.hasProcesses && OF_PROCESSES.has(step));
      if (isMissing) skip(`${step} is not measured on ${target.name}`);
      else
        await within(
          settings.patienceMs === undefined ? STEP_MS : 2 * settings.patienceMs,
          settings.name ?? step,
          STEPS[step](context, settings, target),
        );
    }
  } finally {
    context.close();
    await server?.stop();
  }
}

/** Fails where something takes longer; it goes on then until what it works on is taken from it. */
async function within(limitMs, what, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} is not done after ${limitMs / 1000} s`)), limitMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function sizes({ nodes = 0, args = [] }, isFull) {
  return { nodes: typeof nodes === "object" ? (isFull ? nodes.full : nodes.short) : nodes, args };
}
