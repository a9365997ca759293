import type { Pod } from "#api/generated/core/v1.ts";
import { parseQuantity, type Quantity, quantityMilliValue, quantityValue } from "#apimachinery/resource/quantity.ts";
import { podRequests } from "#component-helpers/pod/pod-requests.ts";

/** Amounts of resources as plain numbers, for comparing them millions of times. */
export interface Resources {
  milliCpu: number;
  memoryBytes: number;
  ephemeralStorageBytes: number;
  /** Extended resources, huge pages and the like, in whole units. */
  readonly scalars: Map<string, number>;
}

/** An amount of nothing, to be added to. */
export function noResources(): Resources {
  return { milliCpu: 0, memoryBytes: 0, ephemeralStorageBytes: 0, scalars: new Map() };
}

/** What a container without a CPU request counts for when nodes are scored (upstream's DefaultMilliCPURequest). */
export const DEFAULT_MILLI_CPU_REQUEST = 100;
/** The same for memory: 200 MB. */
export const DEFAULT_MEMORY_BYTES_REQUEST: number = 200 * 1024 * 1024;

/** Different sizes of nodes of which is known what they come to. */
const SIZES_MAX = 256;
const sizes = new Map<string, Readonly<Resources>>();

/**
 * From a node's `allocatable`; `pods` is not among them. Nodes of one size share what they get: it is looked at for hundreds of nodes
 * in each cycle, which costs little more than fetching it from memory, where each has its own.
 */
export function resourcesFromList(list: Readonly<Record<string, string | number>> | undefined): Readonly<Resources> {
  const key = JSON.stringify(list ?? {});
  const known = sizes.get(key);
  if (known !== undefined) return known;
  const made = fromQuantities(new Map(Object.entries(list ?? {}).map(([name, value]) => [name, parseQuantity(value)])));
  if (sizes.size >= SIZES_MAX) sizes.clear();
  sizes.set(key, made);
  return made;
}

/** What the pod takes of a node. `placed` counts what a resize in progress holds, as for pods that run. */
export function podResources(pod: Pod, options: { placed: boolean }): Resources {
  return fromQuantities(podRequests(pod, { useStatusResources: options.placed }));
}

/** CPU and memory for scoring: each container that requests none counts with the defaults. */
export function nonZeroRequests(pod: Pod, requests: Resources): { milliCpu: number; memoryBytes: number } {
  if (requests.milliCpu > 0 && requests.memoryBytes > 0 && pod.spec.containers.length === 1) return requests;
  const defaulted = (resource: string, amount: string): Pod => ({
    ...pod,
    spec: {
      ...pod.spec,
      containers: pod.spec.containers.map((container) => ({
        ...container,
        resources: { requests: { [resource]: amount, ...container.resources?.requests } },
      })),
    },
  });
  const podLevel = pod.spec.resources?.requests ?? {};
  const milliCpu =
    "cpu" in podLevel
      ? requests.milliCpu
      : fromQuantities(podRequests(defaulted("cpu", `${DEFAULT_MILLI_CPU_REQUEST}m`))).milliCpu;
  const memoryBytes =
    "memory" in podLevel
      ? requests.memoryBytes
      : fromQuantities(podRequests(defaulted("memory", String(DEFAULT_MEMORY_BYTES_REQUEST)))).memoryBytes;
  return { milliCpu, memoryBytes };
}

function fromQuantities(quantities: ReadonlyMap<string, Quantity>): Resources {
  const resources = noResources();
  for (const [name, quantity] of quantities) {
    if (name === "cpu") resources.milliCpu = quantityMilliValue(quantity);
    else if (name === "memory") resources.memoryBytes = quantityValue(quantity);
    else if (name === "ephemeral-storage") resources.ephemeralStorageBytes = quantityValue(quantity);
    else if (name !== "pods") resources.scalars.set(name, quantityValue(quantity));
  }
  return resources;
}

/** Adds `sign` times `more` to `target`. */
export function accumulate(target: Resources, more: Resources, sign: 1 | -1): void {
  target.milliCpu += sign * more.milliCpu;
  target.memoryBytes += sign * more.memoryBytes;
  target.ephemeralStorageBytes += sign * more.ephemeralStorageBytes;
  for (const [name, value] of more.scalars) target.scalars.set(name, (target.scalars.get(name) ?? 0) + sign * value);
}
