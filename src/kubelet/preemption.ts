import type { Pod } from "#api/generated/core/v1.ts";
import { quantityMilliValue, quantityValue } from "#apimachinery/resource/quantity.ts";
import { podRequests } from "#component-helpers/pod/pod-requests.ts";
import { isCriticalPod } from "./cm/critical-pods.ts";
import { type QosClass, qosClassOf } from "./cm/quality-of-service.ts";
import type { Lack, Rejection } from "./pod-admission.ts";

/** What becomes of a pod that has to make room. */
export const PREEMPTED: Rejection = {
  reason: "Preempting",
  message: "Preempted in order to admit critical pod",
  isDisruption: true,
  disruptionMessage: "Pod was preempted by Kubelet to accommodate a critical pod.",
};

/** What is still missing, by resource. */
type Needs = ReadonlyMap<string, number>;

/**
 * Which pods have to go so that a critical one has what the node lacks (upstream's `getPodsToPreempt`): as few guaranteed pods
 * as can be, then as few burstable ones, then as few of the rest. The reason why there are none, in upstream's words.
 */
export function podsToPreempt(critical: Pod, pods: readonly Pod[], lacks: readonly Lack[]): readonly Pod[] | string {
  const needs: Needs = new Map(lacks.map(({ resource, requested, used, capacity }) => [resource, requested - (capacity - used)]));
  const others = pods.filter((pod) => mayPreempt(critical, pod));
  const unmet = without(needs, others);
  if (unmet.size > 0) return `no set of running pods found to reclaim resources: ${textOf(unmet)}`;
  const of = (qos: QosClass): readonly Pod[] => others.filter((pod) => qosClassOf(pod) === qos);
  const [bestEffort, burstable, guaranteed] = [of("BestEffort"), of("Burstable"), of("Guaranteed")];
  const third = fewest(guaranteed, without(needs, [...bestEffort, ...burstable]));
  const second = fewest(burstable, without(needs, [...bestEffort, ...third]));
  const first = fewest(bestEffort, without(needs, [...second, ...third]));
  return [...first, ...second, ...third];
}

/** Upstream's `Preemptable`. */
function mayPreempt(critical: Pod, pod: Pod): boolean {
  if (isCriticalPod(critical) && !isCriticalPod(pod)) return true;
  const [own, other] = [critical.spec.priority, pod.spec.priority];
  return own !== undefined && other !== undefined && own > other;
}

/** One after the other that which gives most of what is missing; of equals that which asks for less. */
function fewest(pods: readonly Pod[], needs: Needs): readonly Pod[] {
  const left = [...pods];
  const chosen: Pod[] = [];
  for (let missing = needs; missing.size > 0; missing = without(missing, chosen.slice(-1))) {
    const [best] = left.sort((a, b) => distance(missing, a) - distance(missing, b) || compareRequests(a, b));
    if (best === undefined) break;
    left.shift();
    chosen.push(best);
  }
  return chosen;
}

function distance(needs: Needs, pod: Pod): number {
  return [...needs].reduce((sum, [name, amount]) => {
    const rest = amount - requestOf(pod, name);
    return rest > 0 ? sum + (rest / amount) ** 2 : sum;
  }, 0);
}

function without(needs: Needs, pods: readonly Pod[]): Needs {
  const rest = [...needs].map(
    ([name, amount]) => [name, pods.reduce((left, pod) => left - requestOf(pod, name), amount)] as const,
  );
  return new Map(rest.filter(([, amount]) => amount > 0));
}

function compareRequests(a: Pod, b: Pod): number {
  return requestOf(a, "memory") - requestOf(b, "memory") || requestOf(a, "cpu") - requestOf(b, "cpu");
}

function requestOf(pod: Pod, name: string): number {
  if (name === "pods") return 1;
  const amount = podRequests(pod).get(name);
  if (amount === undefined) return 0;
  return name === "cpu" ? quantityMilliValue(amount) : quantityValue(amount);
}

function textOf(needs: Needs): string {
  return `[${[...needs].map(([name, amount]) => `(res: ${name}, q: ${amount}), `).join("")}]`;
}
