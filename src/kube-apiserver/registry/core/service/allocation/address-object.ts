import type { Service } from "#api/generated/core/v1.ts";
import type { IPAddress } from "#api/generated/networking/v1.ts";
import { formatIp, parseIp } from "#apimachinery/validation/ip.ts";

/** Says who keeps an IPAddress; those of others are left alone. */
export const MANAGED_BY_LABEL = "ipaddress.kubernetes.io/managed-by";
/** Who keeps those of Services. */
export const ALLOCATOR_NAME = "ipallocator.k8s.io";
/** `IPv4` or `IPv6`. */
export const FAMILY_LABEL = "ipaddress.kubernetes.io/ip-family";

/** The name of the object of an address, however the Service writes it. */
export function addressName(ip: string): string {
  const address = parseIp(ip);
  return address === undefined ? ip : formatIp(address);
}

/** The object that says that an address is a Service's (KEP-1880). */
export function addressObject(ip: string, { metadata: { namespace = "", name = "" } }: Service): IPAddress {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "IPAddress",
    metadata: { name: addressName(ip), labels: { [FAMILY_LABEL]: familyOf(ip), [MANAGED_BY_LABEL]: ALLOCATOR_NAME } },
    spec: { parentRef: { resource: "services", namespace, name } },
  };
}

/** The family of an address, or of a network. */
export function familyOf(text: string): "IPv4" | "IPv6" {
  return text.includes(":") ? "IPv6" : "IPv4";
}
