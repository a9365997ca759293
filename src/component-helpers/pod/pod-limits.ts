import type { Container, Pod } from "#api/generated/core/v1.ts";
import { parseQuantity, type Quantity, quantityAdd, quantityCompare } from "#apimachinery/resource/quantity.ts";
import { isPodLevelResource } from "./pod-requests.ts";

type Resources = Map<string, Quantity>;

/** Which parts of a pod {@link podLimits} counts. */
export interface PodLimitsOptions {
  /** Count what a resize has put into effect so far, where that is more (KEP-1287). */
  readonly useStatusResources?: boolean;
  /** Leave `spec.overhead` out. */
  readonly excludeOverhead?: boolean;
}

/**
 * What a pod may use at most at any time, as `podRequests` counts: upstream's `resourcehelper.PodLimits`. Overhead is added
 * to what is limited, and limits nothing by itself.
 */
export function podLimits(pod: Pod, options: PodLimitsOptions = {}): ReadonlyMap<string, Quantity> {
  const { spec } = pod;
  const limit = (container: Container): Resources => containerLimits(pod, container, options);
  const total: Resources = new Map();
  const sidecars: Resources = new Map();
  const initialization: Resources = new Map();
  for (const container of spec.containers ?? []) add(total, limit(container));
  for (const container of spec.initContainers ?? []) {
    const allowed = limit(container);
    if (container.restartPolicy === "Always") {
      add(total, allowed);
      add(sidecars, allowed);
      raise(initialization, sidecars);
    } else {
      add(allowed, sidecars);
      raise(initialization, allowed);
    }
  }
  raise(total, initialization);
  for (const [name, value] of Object.entries(spec.resources?.limits ?? {})) {
    if (isPodLevelResource(name)) total.set(name, parseQuantity(value));
  }
  if (!options.excludeOverhead) {
    for (const [name, value] of quantities(spec.overhead)) {
      const old = total.get(name);
      if (old !== undefined && old.unscaled !== 0n) total.set(name, quantityAdd(old, value));
    }
  }
  return total;
}

function containerLimits(pod: Pod, container: Container, options: PodLimitsOptions): Resources {
  const limits = quantities(container.resources?.limits);
  if (!options.useStatusResources) return limits;
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const status = statuses.find(({ name }) => name === container.name);
  raise(limits, quantities(status?.resources?.limits));
  return limits;
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
