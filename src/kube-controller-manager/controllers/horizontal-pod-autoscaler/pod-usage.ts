import type { Pod } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { parseQuantity, quantityMilliValue } from "#apimachinery/resource/quantity.ts";
import { ownValue } from "#base/own-value.ts";
import { podCondition } from "#component-helpers/pod/pod-conditions.ts";
import { podRequests } from "#component-helpers/pod/pod-requests.ts";
import type { Tolerances } from "./behavior.ts";

/** One pod's value of a metric, in thousandths. */
export interface PodMetric {
  readonly value: number;
  readonly atMs: number;
  readonly windowMs: number;
}

/** Values by pod name. */
export type PodMetrics = ReadonlyMap<string, PodMetric>;

/** A pod's CPU usage while it starts says little. Upstream's `--horizontal-pod-autoscaler-cpu-initialization-period`. */
const CPU_INITIALIZATION_MS = 300_000;
/** A pod that turned unready later than this was ready once. Upstream's `--horizontal-pod-autoscaler-initial-readiness-delay`. */
const INITIAL_READINESS_DELAY_MS = 30_000;

/** What a number of replicas is computed from. */
export interface UsageInput {
  readonly current: number;
  readonly pods: readonly Pod[];
  readonly metrics: PodMetrics;
  /** The resource that is measured, if it is one. */
  readonly resource: string | undefined;
  readonly tolerances: Tolerances;
  readonly nowMs: number;
}

/** A number of replicas, and what was measured. */
export interface Usage {
  readonly replicas: number;
  /** Of an average pod, in thousandths. */
  readonly average: number;
  /** Percents of what was requested. */
  readonly utilization?: number;
}

/** How a set of values stands to its target. */
interface Ratio {
  readonly ratio: number;
  readonly average: number;
  readonly utilization?: number;
}

/** Replicas for a usage in percents of requests. Upstream's `GetResourceReplicas`; throws where that returns an error. */
export function replicasForUtilization(input: UsageInput, target: number, container: string | undefined): Usage {
  const groups = groupPods(input);
  const requests = new Map(input.pods.map((pod) => [pod.metadata.name ?? "", request(pod, input.resource ?? "", container)]));
  const ratio = (values: ReadonlyMap<string, number>): Ratio => {
    let used = 0;
    let requested = 0;
    for (const [name, value] of values) {
      const ofPod = requests.get(name);
      if (ofPod === undefined) continue;
      used += value;
      requested += ofPod;
    }
    if (requested === 0) throw new Error("no metrics returned matched known pods");
    const utilization = Math.trunc((used * 100) / requested);
    return { ratio: utilization / target, utilization, average: Math.trunc(used / values.size) };
  };
  const assumedShare = Math.max(100, target) / 100;
  return replicasForRatio(input, groups, ratio, (name) => Math.trunc((requests.get(name) ?? 0) * assumedShare));
}

/** Replicas for an average value. Upstream's `calcPlainMetricReplicas`; throws where that returns an error. */
export function replicasForAverage(input: UsageInput, target: number): Usage {
  const ratio = (values: ReadonlyMap<string, number>): Ratio => {
    const average = Math.trunc([...values.values()].reduce((sum, value) => sum + value, 0) / values.size);
    return { ratio: average / target, average };
  };
  return replicasForRatio(input, groupPods(input), ratio, () => target);
}

/** Within it nothing changes. */
export function isTolerated(ratio: number, { up, down }: Tolerances): boolean {
  return 1 - down <= ratio && ratio <= 1 + up;
}

interface Groups {
  readonly ready: number;
  /** Count as idle when scaling up, and not at all else. */
  readonly unready: readonly string[];
  /** Have no value: idle when scaling up, on target when scaling down. */
  readonly missing: readonly string[];
  readonly values: ReadonlyMap<string, number>;
}

function groupPods({ pods, metrics, resource, nowMs }: UsageInput): Groups {
  if (pods.length === 0) throw new Error("no pods returned by selector while calculating replica count");
  const values = new Map([...metrics].map(([name, { value }]) => [name, value]));
  const unready: string[] = [];
  const missing: string[] = [];
  let ready = 0;
  for (const pod of pods) {
    const name = pod.metadata.name ?? "";
    const metric = metrics.get(name);
    if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === "Failed") values.delete(name);
    else if (pod.status?.phase === "Pending") unready.push(name);
    else if (metric === undefined) missing.push(name);
    else if (resource === "cpu" && isStarting(pod, metric, nowMs)) unready.push(name);
    else ready++;
  }
  for (const name of unready) values.delete(name);
  if (values.size === 0) throw new Error("did not receive metrics for targeted pods (pods might be unready)");
  return { ready, unready, missing, values };
}

function isStarting(pod: Pod, metric: PodMetric, nowMs: number): boolean {
  const condition = podCondition(pod, "Ready");
  const startMs = parseTime(pod.status?.startTime ?? "");
  if (condition === undefined || startMs === undefined) return true;
  const sinceMs = parseTime(condition.lastTransitionTime ?? "") ?? 0;
  const unready = condition.status === "False";
  if (startMs + CPU_INITIALIZATION_MS > nowMs) return unready || metric.atMs < sinceMs + metric.windowMs;
  return unready && startMs + INITIAL_READINESS_DELAY_MS > sinceMs;
}

function replicasForRatio(
  { current, tolerances }: UsageInput,
  { ready, unready, missing, values }: Groups,
  ratioOf: (values: ReadonlyMap<string, number>) => Ratio,
  onTarget: (name: string) => number,
): Usage {
  const { ratio, ...measured } = ratioOf(values);
  const growing = unready.length > 0 && ratio > 1;
  if (!growing && missing.length === 0) {
    return { ...measured, replicas: isTolerated(ratio, tolerances) ? current : Math.ceil(ratio * ready) };
  }
  const assumed = new Map(values);
  if (ratio < 1) for (const name of missing) assumed.set(name, onTarget(name));
  if (ratio > 1) for (const name of missing) assumed.set(name, 0);
  if (growing) for (const name of unready) assumed.set(name, 0);
  const again = ratioOf(assumed).ratio;
  const replicas = Math.ceil(again * assumed.size);
  const turned = (ratio < 1 && again > 1) || (ratio > 1 && again < 1);
  const backwards = (again < 1 && replicas > current) || (again > 1 && replicas < current);
  return { ...measured, replicas: isTolerated(again, tolerances) || turned || backwards ? current : replicas };
}

/** In thousandths. Pod-level requests win over those of containers (KEP-2837). Upstream's `calculateRequests`. */
function request(pod: Pod, resource: string, container: string | undefined): number {
  const name = pod.metadata.name ?? "";
  if (container === undefined && Object.keys(pod.spec.resources?.requests ?? {}).length > 0) {
    const total = podRequests(pod).get(resource);
    if (total === undefined) throw new Error(`missing pod-level request for ${resource} in Pod ${name}`);
    return quantityMilliValue(total);
  }
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  let sum = 0;
  for (const one of [...pod.spec.containers, ...sidecars]) {
    if (container !== undefined && container !== one.name) continue;
    const requested = ownValue(one.resources?.requests, resource);
    if (requested === undefined) throw new Error(`missing request for ${resource} in container ${one.name} of Pod ${name}`);
    sum += quantityMilliValue(parseQuantity(requested));
    if (container !== undefined) return sum;
  }
  if (container !== undefined) throw new Error(`container ${container} not found in Pod ${name}`);
  return sum;
}
