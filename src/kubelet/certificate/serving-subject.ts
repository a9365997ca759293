import { isIP } from "node:net";
import type { NodeAddress } from "#api/generated/core/v1.ts";
import type { RequestedSubject } from "#pki/certificate-request.ts";

/** Whom a kubelet's serving certificate names: the node, its names and addresses; undefined while it has none (upstream's `addressesToHostnamesAndIPs`). */
export function servingSubject(node: RequestedSubject, addresses: readonly NodeAddress[]): RequestedSubject | undefined {
  const names = new Set<string>();
  const ips = new Set<string>();
  for (const { type, address } of addresses) {
    if (address === "") continue;
    if (isIP(address) !== 0) ips.add(address);
    else if (type === "Hostname" || type === "InternalDNS" || type === "ExternalDNS") names.add(address);
  }
  if (names.size === 0 && ips.size === 0) return undefined;
  return { ...node, hosts: [...[...names].sort(), ...[...ips].sort()] };
}
