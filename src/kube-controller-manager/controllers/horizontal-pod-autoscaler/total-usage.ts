import type { Pod } from "#api/generated/core/v1.ts";
import { isPodReady } from "#component-helpers/pod/pod-conditions.ts";
import type { Tolerances } from "./behavior.ts";
import { isTolerated, type Usage } from "./pod-usage.ts";

/** The greatest number of replicas that the API can express. */
const REPLICAS_MAX = 2 ** 31 - 1;

/** Replicas for one value of the whole target, in thousandths. Upstream's `getUsageRatioReplicaCount`. */
export function replicasForTotal(
  { current, pods, tolerances }: { readonly current: number; readonly pods: readonly Pod[]; readonly tolerances: Tolerances },
  value: number,
  target: number,
): Usage {
  const ratio = value / target;
  // Nothing runs, so that no pod can be counted: one or none.
  if (current === 0) return { replicas: Math.min(Math.ceil(ratio), REPLICAS_MAX), average: value };
  if (isTolerated(ratio, tolerances)) return { replicas: current, average: value };
  if (pods.length === 0) {
    throw new Error("unable to calculate ready pods: no pods returned by selector while calculating replica count");
  }
  const ready = pods.filter((pod) => pod.status?.phase === "Running" && isPodReady(pod)).length;
  return { replicas: Math.min(Math.ceil(ratio * ready), REPLICAS_MAX), average: value };
}

/** Replicas for a value that they share, in thousandths. Upstream's `GetExternalPerPodMetricReplicas` and its like. */
export function replicasForShare(
  { replicas, tolerances }: { readonly replicas: number; readonly tolerances: Tolerances },
  value: number,
  target: number,
): Usage {
  const ratio = value / (target * replicas);
  return {
    replicas: isTolerated(ratio, tolerances) ? replicas : Math.min(Math.ceil(value / target), REPLICAS_MAX),
    // Without a pod there is no share; upstream divides all the same.
    average: replicas === 0 ? value : Math.ceil(value / replicas),
  };
}
