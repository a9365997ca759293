import type { Container, ContainerStatus, Pod, PodSpec } from "#api/generated/core/v1.ts";
import { parseQuantity, type Quantity, quantityAdd, quantityCompare } from "#apimachinery/resource/quantity.ts";

/** Quantities by the names of resources. */
export type ResourceList = Map<string, Quantity>;

/** Which parts of a pod are counted. */
export interface PodResourcesOptions {
  /** Count what a resize has put into effect so far, where that is more (KEP-1287). */
  readonly useStatusResources?: boolean;
  /** Leave `spec.overhead` out. */
  readonly excludeOverhead?: boolean;
}

/** A list as an API object has it; empty for an absent one. */
export function resourceList(list: Readonly<Record<string, string | number>> | undefined): ResourceList {
  const resources: ResourceList = new Map();
  for (const name in list) resources.set(name, parseQuantity(list[name] ?? 0));
  return resources;
}

/** Adds `more` to `target`. */
export function addResources(target: ResourceList, more: ReadonlyMap<string, Quantity>): void {
  for (const [name, value] of more) {
    const old = target.get(name);
    target.set(name, old === undefined ? value : quantityAdd(old, value));
  }
}

/** Raises `target` to at least `floor`. */
export function raiseResources(target: ResourceList, floor: ReadonlyMap<string, Quantity>): void {
  for (const [name, value] of floor) {
    const old = target.get(name);
    if (old === undefined || quantityCompare(value, old) > 0) target.set(name, value);
  }
}

/**
 * What a pod's containers need at most at any time: those that run on and the sidecars together, or the greatest step of
 * the initialization, in which the sidecars started so far take part. `needs` makes a list of its own for each container.
 */
export function peakOfContainers(spec: PodSpec, needs: (container: Container) => ResourceList): ResourceList {
  const total: ResourceList = new Map();
  for (const container of spec.containers ?? []) addResources(total, needs(container));
  // Most pods have none of these.
  if (!spec.initContainers?.length) return total;
  const sidecars: ResourceList = new Map();
  const initialization: ResourceList = new Map();
  for (const container of spec.initContainers) {
    const needed = needs(container);
    if (container.restartPolicy === "Always") {
      addResources(total, needed);
      addResources(sidecars, needed);
      raiseResources(initialization, sidecars);
    } else {
      addResources(needed, sidecars);
      raiseResources(initialization, needed);
    }
  }
  raiseResources(total, initialization);
  return total;
}

/** Puts what the pod as a whole asks for in place of its containers' sums (KEP-2837). */
export function applyPodLevel(target: ResourceList, podLevel: Readonly<Record<string, string | number>> | undefined): void {
  for (const name in podLevel) if (isPodLevelResource(name)) target.set(name, parseQuantity(podLevel[name] ?? 0));
}

/** Resources that may be asked for by the pod as a whole. */
export function isPodLevelResource(name: string): boolean {
  return name === "cpu" || name === "memory" || name.startsWith("hugepages-");
}

/** The status of a container, whichever kind it is. */
export function statusOfContainer({ status }: Pod, container: Container): ContainerStatus | undefined {
  const isOf = ({ name }: ContainerStatus): boolean => name === container.name;
  return status?.containerStatuses?.find(isOf) ?? status?.initContainerStatuses?.find(isOf);
}
