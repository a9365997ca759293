import type * as v1 from "#api/generated/autoscaling/v1.ts";
import type * as v2 from "#api/generated/autoscaling/v2.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { decodeObject } from "#apimachinery/schema/decode.ts";
import { DecodeError } from "#apimachinery/schema/exact-decode.ts";
import { schemaByName } from "#apimachinery/schema/registry.ts";
import { assert } from "#base/assert.ts";
import { behaviorFromJson, behaviorToJson } from "./behavior-json.ts";
import { fromOldMetric, fromOldStatus, toOldMetric, toOldStatus } from "./metric-conversion.ts";

const METRICS = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT_METRICS = "autoscaling.alpha.kubernetes.io/current-metrics";
const BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior";
const CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions";
/** Percent of the requested CPU that autoscalers without metrics aim at. */
export const DEFAULT_CPU_UTILIZATION = 80;

/** The annotations that carry parts of v2 through v1. No stored object has them. */
export const V1_ANNOTATIONS: readonly string[] = [METRICS, CURRENT_METRICS, BEHAVIOR, CONDITIONS];

/** The metric that `autoscaling/v1` has a field for. */
export function cpuUtilization(averageUtilization: number): v2.MetricSpec {
  return { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization } } };
}

function isCpu<T extends { readonly type: string; readonly resource?: { readonly name: string } }>(metric: T): boolean {
  return metric.type === "Resource" && metric.resource?.name === "cpu";
}

/** From `autoscaling/v1`: what that version has no field for stands in annotations, which go. */
export function fromV1(object: ApiObject): ApiObject {
  const { metadata } = object;
  const { targetCPUUtilizationPercentage: cpu, ...spec } = object.spec as v1.HorizontalPodAutoscalerSpec;
  const { currentCPUUtilizationPercentage: currentCpu, ...status } = (object.status ?? {}) as v1.HorizontalPodAutoscalerStatus;
  const { [METRICS]: metricsText, [BEHAVIOR]: behaviorText, ...others } = metadata.annotations ?? {};
  const { [CURRENT_METRICS]: currentText, [CONDITIONS]: conditionsText, ...annotations } = others;
  const metrics = readList<v1.MetricSpec>("MetricSpec", metricsText).map(fromOldMetric);
  if (cpu !== undefined) metrics.push(cpuUtilization(cpu));
  const behavior = behaviorText === undefined ? undefined : behaviorFromJson(behaviorText);
  const current = readList<v1.MetricStatus>("MetricStatus", currentText).map(fromOldStatus);
  if (current.length === 0 && currentCpu !== undefined) {
    current.push({ type: "Resource", resource: { name: "cpu", current: { averageUtilization: currentCpu } } });
  }
  const conditions = readList<v2.HorizontalPodAutoscalerCondition>("HorizontalPodAutoscalerCondition", conditionsText);
  return {
    ...object,
    metadata: withAnnotations(metadata, annotations),
    spec: {
      ...spec,
      metrics: metrics.length > 0 ? metrics : [cpuUtilization(DEFAULT_CPU_UTILIZATION)],
      ...(behavior && { behavior }),
    },
    status: {
      ...status,
      ...(current.length > 0 && { currentMetrics: current }),
      ...(conditions.length > 0 && { conditions }),
    },
  };
}

/** To `autoscaling/v1`. */
export function toV1(object: ApiObject): ApiObject {
  const { metadata } = object;
  const { metrics = [], behavior, ...spec } = object.spec as v2.HorizontalPodAutoscalerSpec;
  const { currentMetrics, conditions, ...status } = (object.status ?? {}) as Partial<v2.HorizontalPodAutoscalerStatus>;
  const annotations = { ...metadata.annotations };
  for (const key of V1_ANNOTATIONS) delete annotations[key];
  const others = metrics.filter((metric) => !isCpu(metric) || metric.resource?.target.averageUtilization === undefined);
  if (others.length > 0) annotations[METRICS] = JSON.stringify(others.map(toOldMetric));
  if (currentMetrics?.length) annotations[CURRENT_METRICS] = JSON.stringify(currentMetrics.map(toOldStatus));
  if (behavior) annotations[BEHAVIOR] = behaviorToJson(behavior);
  if (conditions?.length) annotations[CONDITIONS] = JSON.stringify(conditions.map(inOrder));
  const utilizations = metrics.filter(isCpu).map((metric) => metric.resource?.target.averageUtilization);
  const cpu = utilizations.find((utilization) => utilization !== undefined);
  const currentCpu = currentMetrics
    ?.filter(isCpu)
    .findLast((metric) => metric.resource?.current.averageUtilization !== undefined);
  const currentUtilization = currentCpu?.resource?.current.averageUtilization;
  return {
    ...object,
    metadata: withAnnotations(metadata, annotations),
    spec: { ...spec, ...(cpu !== undefined && { targetCPUUtilizationPercentage: cpu }) },
    status: { ...status, ...(currentUtilization !== undefined && { currentCPUUtilizationPercentage: currentUtilization }) },
  };
}

/** Defaults of `autoscaling/v1`. What only its conversion fills in is there afterwards too, since clients own it. */
export function setV1Defaults(object: ApiObject): void {
  const spec = object.spec as { minReplicas?: number };
  spec.minReplicas ??= 1;
  const { metadata, spec: whole, status } = toV1(fromV1(deepCopy(object)));
  Object.assign(object, { metadata, spec: whole, status });
}

function inOrder(condition: v2.HorizontalPodAutoscalerCondition): v2.HorizontalPodAutoscalerCondition {
  const { type, status, lastTransitionTime, reason, message } = condition;
  return {
    type,
    status,
    lastTransitionTime: lastTransitionTime ?? null,
    ...(reason && { reason }),
    ...(message && { message }),
  } as v2.HorizontalPodAutoscalerCondition;
}

function withAnnotations(metadata: ApiObject["metadata"], annotations: Record<string, string>): ApiObject["metadata"] {
  const { annotations: _, ...rest } = metadata;
  return Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest;
}

/** A list of a type of `autoscaling/v1`; upstream leaves aside what it cannot read. */
function readList<T>(type: string, text: string | undefined): T[] {
  if (text === undefined) return [];
  const element = schemaByName(`io.k8s.api.autoscaling.v1.${type}`);
  assert(element !== undefined, `no type ${type} in autoscaling/v1`);
  try {
    const items: unknown = JSON.parse(text);
    if (!Array.isArray(items)) return [];
    return items.map((item) => decodeObject(element, item).object as T);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DecodeError) return [];
    throw error;
  }
}
