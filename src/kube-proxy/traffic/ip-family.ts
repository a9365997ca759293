import { formatCidr, formatIp, networkContains, parseCidr, parseIp } from "#apimachinery/validation/ip.ts";

/** A family of addresses, by the API's name. Each has rules of its own. */
export type IpFamily = "IPv4" | "IPv6";

/** Both, in the order in which they are worked on. */
export const IP_FAMILIES: readonly IpFamily[] = ["IPv4", "IPv6"];

/** The address in canonical form where it is one of the family, else undefined. */
export function addressOf(family: IpFamily, text: string): string | undefined {
  const ip = parseIp(text.trim());
  return ip !== undefined && ip.family === digit(family) ? formatIp(ip) : undefined;
}

/** The network in canonical form where it is one of the family, else undefined. */
export function networkOf(family: IpFamily, text: string): string | undefined {
  const network = parseCidr(text.trim());
  return network !== undefined && network.address.family === digit(family) ? formatCidr(network) : undefined;
}

/** Those of the addresses that are of the family, canonical, each once. */
export function addressesOf(family: IpFamily, texts: readonly string[]): readonly string[] {
  return [...new Set(texts.flatMap((text) => addressOf(family, text) ?? []))];
}

/** Whether a network holds an address. False where one of them is none. */
export function contains(network: string, address: string): boolean {
  const [parsed, ip] = [parseCidr(network), parseIp(address)];
  return parsed !== undefined && ip !== undefined && networkContains(parsed, ip);
}

/** Whether it is an address by which a host speaks with itself. */
export function isLoopback(address: string): boolean {
  return address === "::1" || contains("127.0.0.0/8", address);
}

/** `1.2.3.4:80` and `[fd00::1]:80`. */
export function hostPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function digit(family: IpFamily): 4 | 6 {
  return family === "IPv4" ? 4 : 6;
}
