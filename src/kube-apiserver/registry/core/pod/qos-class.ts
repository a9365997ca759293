import type { PodSpec } from "#api/generated/core/v1.ts";
import { parseQuantity, quantityCompare, quantitySign } from "#apimachinery/resource/quantity.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const QOS_RESOURCES = ["cpu", "memory"];

function positive(list: Readonly<Record<string, string>> | undefined): Map<string, string> {
  const entries = Object.entries(list ?? {});
  return new Map(entries.filter(([name, value]) => QOS_RESOURCES.includes(name) && quantitySign(parseQuantity(value)) > 0));
}

/** How readily a pod is evicted: by the requests and limits of the pod itself, else of all its containers. */
export function computeQosClass(spec: PodSpec): QosClass {
  const lists = spec.resources
    ? [spec.resources]
    : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((container) => container.resources ?? {});
  let empty = true;
  let guaranteed = true;
  for (const resources of lists) {
    const requests = positive(resources.requests);
    const limits = positive(resources.limits);
    if (requests.size > 0 || limits.size > 0) empty = false;
    if (limits.size !== QOS_RESOURCES.length) guaranteed = false;
    for (const name of QOS_RESOURCES) {
      const request = requests.get(name);
      const limit = limits.get(name);
      if (request === undefined || limit === undefined) guaranteed = false;
      else if (quantityCompare(parseQuantity(request), parseQuantity(limit)) !== 0) guaranteed = false;
    }
  }
  if (empty) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}
