import type { Container, Pod } from "#api/generated/core/v1.ts";
import { type Quantity, quantityAdd } from "#apimachinery/resource/quantity.ts";
import {
  applyPodLevel,
  type PodResourcesOptions,
  peakOfContainers,
  type ResourceList,
  raiseResources,
  resourceList,
  statusOfContainer,
} from "./resource-list.ts";

/**
 * What a pod may use at most at any time, as `podRequests` counts: upstream's `resourcehelper.PodLimits`. Overhead is added
 * to what is limited, and limits nothing by itself.
 */
export function podLimits(pod: Pod, options: PodResourcesOptions = {}): ReadonlyMap<string, Quantity> {
  const total = peakOfContainers(pod.spec, (container) => containerLimits(pod, container, options));
  applyPodLevel(total, pod.spec.resources?.limits);
  if (options.excludeOverhead) return total;
  for (const [name, value] of resourceList(pod.spec.overhead)) {
    const old = total.get(name);
    if (old !== undefined && old.unscaled !== 0n) total.set(name, quantityAdd(old, value));
  }
  return total;
}

function containerLimits(pod: Pod, container: Container, options: PodResourcesOptions): ResourceList {
  const limits = resourceList(container.resources?.limits);
  if (options.useStatusResources) raiseResources(limits, resourceList(statusOfContainer(pod, container)?.resources?.limits));
  return limits;
}
