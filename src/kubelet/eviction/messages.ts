import type { Pod } from "#api/generated/core/v1.ts";
import { formatQuantity, newQuantity, parseQuantity, type Quantity, quantityCompare } from "#apimachinery/resource/quantity.ts";
import type { ContainerUse, PodUse } from "./pod-usage.ts";
import { type Observations, resourceOf, type StarvedResource } from "./signals.ts";
import { quantityOf, type Threshold } from "./thresholds.ts";

/** Why a pod is evicted, in upstream's words (`evictionMessage`): what is low, by how much, and which containers use more than they asked for. */
export function evictionMessage(
  resource: StarvedResource,
  pod: Pod,
  use: PodUse | undefined,
  thresholds: readonly Threshold[],
  observations: Observations,
): string {
  const met = thresholds.find(({ signal }) => resourceOf(signal) === resource && observations.has(signal));
  const observed = met === undefined ? undefined : observations.get(met.signal);
  const amounts =
    met === undefined || observed === undefined
      ? ""
      : `Threshold quantity: ${formatQuantity(quantityOf(met.value, observed.capacity))}, available: ${formatQuantity(observed.available)}. `;
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const blamed = (use?.containers ?? []).flatMap((one) => {
    const container = containers.find(({ name }) => name === one.name);
    const used = usedOf(resource, one);
    if (container === undefined || used === undefined) return [];
    const request = parseQuantity(container.resources?.requests?.[resource] ?? 0);
    if (quantityCompare(used, request) <= 0) return [];
    const amount = `was using ${formatQuantity(used)}, request is ${formatQuantity(request)}`;
    return [`Container ${one.name} ${amount}, has larger consumption of ${resource}. `];
  });
  return `The node was low on resource: ${resource}. ${amounts}${blamed.join("")}`;
}

/** A node under pressure takes a pod only if it can bear it. */
export function admissionMessage(conditions: readonly string[]): string {
  return `The node had condition: [${conditions.join(" ")}]. `;
}

function usedOf(resource: StarvedResource, { memoryBytes, rootfs, logs }: ContainerUse): Quantity | undefined {
  if (resource === "memory") return newQuantity(memoryBytes, 0, "BinarySI");
  return resource === "ephemeral-storage" ? newQuantity(rootfs.bytes + logs.bytes, 0, "BinarySI") : undefined;
}
