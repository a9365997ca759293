import type { Container, Pod } from "#api/generated/core/v1.ts";
import { parseQuantity, quantityMilliValue, quantityValue } from "#apimachinery/resource/quantity.ts";
import { ownValue } from "#base/own-value.ts";

/** Amounts by the names of resources. */
export type Amounts = Readonly<Record<string, string | number>>;

/** `resourceFieldRef` of variables and volumes. */
export interface ResourceReference {
  readonly containerName?: string;
  readonly resource: string;
  readonly divisor?: string | number;
}

/**
 * What a container may use or asks for, in units of the divisor, rounded up (upstream's `ExtractContainerResourceValue`).
 * A limit that is not set is what the node has to give. Undefined for resources that cannot be asked for so.
 */
export function resourceValue(
  pod: Pod,
  own: Container | undefined,
  reference: ResourceReference,
  node: Amounts,
): string | undefined {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const { containerName = "", resource } = reference;
  const container = containerName === "" ? own : containers.find(({ name }) => name === containerName);
  const [kind, ...rest] = resource.split(".");
  const name = rest.join(".");
  if (container === undefined || (kind !== "limits" && kind !== "requests")) return undefined;
  const amounts = container.resources?.[kind] as Amounts | undefined;
  const amount = ownValue(amounts, name) ?? (kind === "limits" ? ownValue(node, name) : undefined) ?? "0";
  const divisor = parseQuantity(reference.divisor ?? "0");
  const value = parseQuantity(amount);
  // Without a divisor cores are whole, and bytes are bytes.
  if (name === "cpu") return ceil(quantityMilliValue(value), quantityMilliValue(divisor) || 1000);
  return ceil(quantityValue(value), quantityValue(divisor) || 1);
}

function ceil(value: number, divisor: number): string {
  return String(Math.ceil(value / divisor));
}
