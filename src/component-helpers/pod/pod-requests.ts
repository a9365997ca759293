import type { Container, Pod } from "#api/generated/core/v1.ts";
import { parseQuantity, type Quantity, quantityAdd, quantityCompare } from "#apimachinery/resource/quantity.ts";

type Resources = Map<string, Quantity>;

/** Which parts of a pod {@link podRequests} counts. */
export interface PodRequestsOptions {
  /** Count what a resize has allocated so far, where that is more (KEP-1287). */
  readonly useStatusResources?: boolean;
  /** Leave `spec.overhead` out. */
  readonly excludeOverhead?: boolean;
}

/**
 * What a pod needs at most at any time: its containers and sidecars together, or the greatest step of its
 * initialization, plus overhead; pod-level requests win (KEP-2837). Upstream's `resourcehelper.PodRequests`.
 */
export function podRequests(pod: Pod, options: PodRequestsOptions = {}): ReadonlyMap<string, Quantity> {
  const { spec } = pod;
  const request = (container: Container): Resources => containerRequests(pod, container, options);
  const total: Resources = new Map();
  const sidecars: Resources = new Map();
  const initialization: Resources = new Map();
  for (const container of spec.containers ?? []) add(total, request(container));
  for (const container of spec.initContainers ?? []) {
    const needed = request(container);
    if (container.restartPolicy === "Always") {
      add(total, needed);
      add(sidecars, needed);
      raise(initialization, sidecars);
    } else {
      add(needed, sidecars);
      raise(initialization, needed);
    }
  }
  raise(total, initialization);
  for (const [name, value] of Object.entries(spec.resources?.requests ?? {})) {
    if (isPodLevelResource(name)) total.set(name, parseQuantity(value));
  }
  if (!options.excludeOverhead) add(total, quantities(spec.overhead));
  return total;
}

/** Resources that may be asked for by the pod as a whole. */
export function isPodLevelResource(name: string): boolean {
  return name === "cpu" || name === "memory" || name.startsWith("hugepages-");
}

function containerRequests(pod: Pod, container: Container, options: PodRequestsOptions): Resources {
  const needed = quantities(container.resources?.requests);
  if (!options.useStatusResources) return needed;
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const status = statuses.find(({ name }) => name === container.name);
  if (status === undefined) return needed;
  raise(needed, quantities(status.allocatedResources));
  raise(needed, quantities(status.resources?.requests));
  return needed;
}

function quantities(list: Readonly<Record<string, string | number>> | undefined): Resources {
  return new Map(Object.entries(list ?? {}).map(([name, value]) => [name, parseQuantity(value)]));
}

function add(target: Resources, more: ReadonlyMap<string, Quantity>): void {
  for (const [name, value] of more) {
    const old = target.get(name);
    target.set(name, old === undefined ? value : quantityAdd(old, value));
  }
}

function raise(target: Resources, floor: ReadonlyMap<string, Quantity>): void {
  for (const [name, value] of floor) {
    const old = target.get(name);
    if (old === undefined || quantityCompare(value, old) > 0) target.set(name, value);
  }
}
