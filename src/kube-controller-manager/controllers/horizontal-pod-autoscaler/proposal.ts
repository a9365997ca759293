import type { MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from "#api/generated/autoscaling/v2.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { selectorText } from "#apimachinery/labels/selector-text.ts";
import { formatQuantity, newQuantity, parseQuantity, quantityMilliValue } from "#apimachinery/resource/quantity.ts";
import type { Tolerances } from "./behavior.ts";
import type { Reading } from "./metrics-client.ts";
import { type PodMetrics, replicasForAverage, replicasForUtilization, type Usage } from "./pod-usage.ts";
import { replicasForShare, replicasForTotal } from "./total-usage.ts";

/** What a proposal is made from, beside the metric. */
export interface Situation {
  readonly namespace: string;
  /** Replicas that the target is asked for, and those that it has. */
  readonly current: number;
  readonly actual: number;
  readonly pods: readonly Pod[];
  readonly tolerances: Tolerances;
  readonly nowMs: number;
}

/** Replicas that one metric calls for. */
export interface Proposal {
  readonly replicas: number;
  /** As messages call the metric. */
  readonly name: string;
  readonly status: MetricStatus;
}

/** Why one metric calls for nothing. */
export interface NoProposal {
  readonly reason: string;
  /** What condition and event say, and what the failure of the whole says. */
  readonly message: string;
  readonly outerMessage: string;
}

/** What a metric calls for, given what was read or why nothing could be. Upstream's `computeReplicasForMetric`. */
export function propose(spec: MetricSpec, reading: Reading | Error, situation: Situation): Proposal | NoProposal {
  const kind = spec.resource
    ? resource(spec.resource, undefined, "Resource")
    : spec.containerResource
      ? resource(spec.containerResource, spec.containerResource.container, "ContainerResource")
      : spec.pods
        ? pods(spec.pods)
        : spec.object
          ? object(spec.object, situation.namespace)
          : spec.external
            ? external(spec.external, situation.namespace)
            : undefined;
  if (kind === undefined) {
    const message = `unknown metric source type ${JSON.stringify(spec.type)}`;
    return { reason: "InvalidMetricSourceType", message, outerMessage: message };
  }
  try {
    if (reading instanceof Error) throw new Error(`${kind.unreadable}${reading.message}`);
    return kind.compute(reading, situation);
  } catch (error) {
    const inner = error instanceof Error ? error.message : String(error);
    const message = `${kind.context}${inner}`;
    return { reason: kind.reason, message, outerMessage: `${kind.outerContext}${message}` };
  }
}

/** What sets the kinds of metrics apart. */
interface Kind {
  readonly reason: string;
  /** Goes before the error of reading, before all errors, and before those that the whole reports. */
  readonly unreadable: string;
  readonly context: string;
  readonly outerContext: string;
  compute(reading: Reading, situation: Situation): Proposal;
}

function resource(
  source: { readonly name: string; readonly target: MetricTarget },
  container: string | undefined,
  type: "Resource" | "ContainerResource",
): Kind {
  const { name, target } = source;
  const { averageValue, averageUtilization } = target;
  return {
    reason: `FailedGet${type}Metric`,
    unreadable: `unable to get metrics for resource ${name}: `,
    context: `failed to get ${name} ${averageValue === undefined ? "utilization" : "usage"}: `,
    outerContext:
      container === undefined
        ? `failed to get ${name} resource metric value: `
        : `failed to get ${container} container metric value: `,
    compute(reading, situation) {
      const input = { ...situation, metrics: reading as PodMetrics, resource: name };
      const usage =
        averageValue === undefined
          ? replicasForUtilization(input, averageUtilization ?? 0, container)
          : replicasForAverage(input, milli(averageValue));
      const current: MetricValueStatus = {
        ...(usage.utilization === undefined ? {} : { averageUtilization: usage.utilization }),
        averageValue: quantity(usage.average),
      };
      const kind = container === undefined ? "resource" : "container resource";
      return {
        replicas: usage.replicas,
        name: averageValue === undefined ? `${name} ${kind} utilization (percentage of request)` : `${name} resource`,
        status:
          container === undefined
            ? { type, resource: { name, current } }
            : { type, containerResource: { name, container, current } },
      };
    },
  };
}

function pods({ metric, target }: NonNullable<MetricSpec["pods"]>): Kind {
  return {
    reason: "FailedGetPodsMetric",
    unreadable: `unable to get metric ${metric.name}: `,
    context: "",
    outerContext: "failed to get pods metric value: ",
    compute(reading, situation) {
      const input = { ...situation, metrics: reading as PodMetrics, resource: undefined };
      const { replicas, average } = replicasForAverage(input, milli(target.averageValue ?? "0"));
      const status: MetricStatus = { type: "Pods", pods: { metric, current: { averageValue: quantity(average) } } };
      return { replicas, name: `pods metric ${metric.name}`, status };
    },
  };
}

function object({ metric, target, describedObject }: NonNullable<MetricSpec["object"]>, namespace: string): Kind {
  const shared = target.type === "AverageValue";
  return {
    reason: "FailedGetObjectMetric",
    // Upstream names kind and namespace before the error, the object after its slash: its format string has them so.
    unreadable: `unable to get metric ${metric.name}: ${describedObject.kind} on ${namespace} ${describedObject.name}/`,
    context: "",
    outerContext: `failed to get object metric value: ${shared ? `failed to get ${metric.name} object metric: ` : ""}`,
    compute(reading, situation) {
      const { usage, current } = ofTotal(reading as number, target, situation);
      return {
        replicas: usage.replicas,
        name: shared
          ? `external metric ${metric.name}(${selectorText(metric.selector)})`
          : `${describedObject.kind} metric ${metric.name}`,
        status: {
          type: "Object",
          object: { describedObject: shared ? { kind: "", name: "" } : describedObject, metric, current },
        },
      };
    },
  };
}

function external({ metric, target }: NonNullable<MetricSpec["external"]>, namespace: string): Kind {
  const { name, selector } = metric;
  const inner =
    target.averageValue === undefined ? `failed to get external metric ${name}: ` : `failed to get ${name} external metric: `;
  return {
    reason: "FailedGetExternalMetric",
    unreadable: `unable to get external metric ${namespace}/${name}/${selectorText(selector)}: `,
    context: "",
    outerContext: `failed to get ${name} external metric value: ${inner}`,
    compute(reading, situation) {
      const { usage, current } = ofTotal(reading as number, target, situation);
      const status: MetricStatus = { type: "External", external: { metric, current } };
      return { replicas: usage.replicas, name: `external metric ${name}(${selectorText(selector)})`, status };
    },
  };
}

function ofTotal(
  value: number,
  { averageValue, value: wanted }: MetricTarget,
  { current, actual, pods, tolerances }: Situation,
): { readonly usage: Usage; readonly current: MetricValueStatus } {
  if (averageValue !== undefined) {
    const usage = replicasForShare({ replicas: actual, tolerances }, value, milli(averageValue));
    return { usage, current: { averageValue: quantity(usage.average) } };
  }
  const usage = replicasForTotal({ current, pods, tolerances }, value, milli(wanted ?? "0"));
  return { usage, current: { value: quantity(usage.average) } };
}

function milli(value: string | number): number {
  return quantityMilliValue(parseQuantity(value));
}

function quantity(thousandths: number): string {
  return formatQuantity(newQuantity(thousandths, -3, "DecimalSI"));
}
