import { isIP, isIPv4, isIPv6 } from "node:net";
import type { NodeAddress } from "#api/generated/core/v1.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { Machine } from "./machine.ts";

/** What is asked for of a node's addresses. */
export interface AddressRequest {
  readonly nodeName: string;
  readonly hostname: string;
  /** `--node-ip`: none, one, or one of each family. `0.0.0.0` and `::` name a family only. */
  readonly nodeIps: readonly string[];
}

/**
 * The addresses of a node (upstream's `nodestatus.NodeAddress` without a cloud): what was asked for, else the name when that
 * is an address, else what the name leads to, else the address of the default route. Rejects in upstream's words.
 */
export async function chooseAddresses(
  { nodeName, hostname, nodeIps }: AddressRequest,
  machine: Machine,
): Promise<readonly NodeAddress[]> {
  const [first, second] = nodeIps;
  for (const ip of nodeIps.filter(isSpecified)) {
    const problem = problemOf(ip, machine);
    if (problem !== undefined) throw new Error(`failed to validate ${ip === first ? "nodeIP" : "secondaryNodeIP"}: ${problem}`);
  }
  const name: NodeAddress = { type: "Hostname", address: hostname };
  if (isSpecified(first) && isSpecified(second)) return [internal(first), internal(second), name];
  const ip = isSpecified(first) ? first : await found(nodeName, hostname, isIPv6(first ?? "") ? 6 : 4, machine);
  if (ip === undefined) throw new Error(`can't get ip address of node ${nodeName}. error: no default routes found`);
  return [internal(ip), name];
}

async function found(nodeName: string, hostname: string, family: 4 | 6, machine: Machine): Promise<string | undefined> {
  if (isIP(hostname) !== 0) return hostname;
  const known = (await machine.lookup(nodeName)).filter((ip) => problemOf(ip, machine) === undefined);
  const preferred = known.find((ip) => isIP(ip) === family) ?? known[0];
  return preferred ?? (await machine.defaultAddress(family));
}

function internal(address: string): NodeAddress {
  return { type: "InternalIP", address };
}

function isSpecified(ip: string | undefined): ip is string {
  return ip !== undefined && !["", "0.0.0.0", "::"].includes(ip);
}

/** Why an address cannot be a node's (upstream's `validateNodeIP`); undefined when it can. */
function problemOf(ip: string, machine: Machine): string | undefined {
  if (isIP(ip) === 0) return "nodeIP must be a valid IP address";
  const [high = 0] = ip.split(".").map(Number);
  const low = ip.toLowerCase();
  if (isIPv4(ip) ? high === 127 : low === "::1") return "nodeIP can't be loopback address";
  if (isIPv4(ip) ? high >= 224 && high < 240 : low.startsWith("ff")) return "nodeIP can't be a multicast address";
  if (isIPv4(ip) ? ip.startsWith("169.254.") : /^fe[89ab]/.test(low)) return "nodeIP can't be a link-local unicast address";
  if (!isSpecified(ip)) return "nodeIP can't be an all zeros address";
  if (machine.addresses().includes(ip)) return undefined;
  return `node IP: ${goQuote(ip)} not found in the host's network interfaces`;
}
