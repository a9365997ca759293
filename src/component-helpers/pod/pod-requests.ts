import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { Quantity } from "#apimachinery/resource/quantity.ts";
import {
  addResources,
  applyPodLevel,
  type PodResourcesOptions,
  peakOfContainers,
  type ResourceList,
  raiseResources,
  resourceList,
  statusOfContainer,
} from "./resource-list.ts";

/**
 * What a pod needs at most at any time: its containers and sidecars together, or the greatest step of its
 * initialization, plus overhead; pod-level requests win (KEP-2837). Upstream's `resourcehelper.PodRequests`.
 */
export function podRequests(pod: Pod, options: PodResourcesOptions = {}): ReadonlyMap<string, Quantity> {
  const total = peakOfContainers(pod.spec, (container) => containerRequests(pod, container, options));
  applyPodLevel(total, pod.spec.resources?.requests);
  if (!options.excludeOverhead && pod.spec.overhead !== undefined) addResources(total, resourceList(pod.spec.overhead));
  return total;
}

function containerRequests(pod: Pod, container: Container, options: PodResourcesOptions): ResourceList {
  const needed = resourceList(container.resources?.requests);
  if (!options.useStatusResources) return needed;
  const status = statusOfContainer(pod, container);
  const { allocatedResources, resources } = status ?? {};
  if (allocatedResources !== undefined) raiseResources(needed, resourceList(allocatedResources));
  if (resources?.requests !== undefined) raiseResources(needed, resourceList(resources.requests));
  return needed;
}
