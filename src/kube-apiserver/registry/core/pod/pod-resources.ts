import type { Container, PodSpec } from "#api/generated/core/v1.ts";
import { formatQuantity, parseQuantity, quantityAdd, quantityCompare } from "#apimachinery/resource/quantity.ts";
import { ownValue } from "#base/own-value.ts";

type ResourceList = Readonly<Record<string, string>>;

function add(into: Record<string, string>, more: ResourceList): void {
  for (const [name, value] of Object.entries(more)) {
    const old = ownValue(into, name);
    into[name] = old === undefined ? value : sum(old, value);
  }
}

function sum(a: string, b: string): string {
  return formatQuantity(quantityAdd(parseQuantity(a), parseQuantity(b)));
}

function raise(into: Record<string, string>, floor: ResourceList): void {
  for (const [name, value] of Object.entries(floor)) {
    const old = ownValue(into, name);
    if (old === undefined || quantityCompare(parseQuantity(value), parseQuantity(old)) > 0) into[name] = value;
  }
}

/** Init containers that keep running beside the others (KEP-753). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

function aggregate(spec: PodSpec, of: (container: Container) => ResourceList): Record<string, string> {
  const total: Record<string, string> = {};
  for (const container of spec.containers ?? []) add(total, of(container));
  const sidecars: Record<string, string> = {};
  const peak: Record<string, string> = {};
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) {
      add(total, of(container));
      add(sidecars, of(container));
      raise(peak, sidecars);
    } else {
      const now: Record<string, string> = { ...of(container) };
      add(now, sidecars);
      raise(peak, now);
    }
  }
  raise(total, peak);
  return total;
}

/** What the containers of a pod request together: the running ones' sum, or more where an init container needs it. */
export function aggregateContainerRequests(spec: PodSpec): Record<string, string> {
  return aggregate(spec, (container) => container.resources?.requests ?? {});
}

/** As {@link aggregateContainerRequests}, of limits. */
export function aggregateContainerLimits(spec: PodSpec): Record<string, string> {
  return aggregate(spec, (container) => container.resources?.limits ?? {});
}
