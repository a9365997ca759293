/** What IPv6 addresses of simulated nodes and pods begin with. */
const PREFIX = "fd00::";

/** The IPv6 address that stands beside an IPv4 address in a cluster of both families: `10.244.3.7` and `fd00::10:244:3:7`. */
export function besideIpv4(ipv4: string): string {
  return `${PREFIX}${ipv4.replaceAll(".", ":")}`;
}

/** The IPv4 address that {@link besideIpv4} was given; what is no such address comes back as it is. */
export function ipv4Beside(address: string): string {
  const match = /^fd00::(\d+):(\d+):(\d+):(\d+)$/.exec(address);
  return match === null ? address : match.slice(1).join(".");
}

/** Both addresses, or one, in the order of the cluster's families. */
export function inFamilies(ipv4: string, families: readonly string[]): readonly string[] {
  return families.map((family) => (family === "IPv6" ? besideIpv4(ipv4) : ipv4));
}

/** The same for the network of a node's pods, which has 24 bits. */
export function networksInFamilies(cidr: string, families: readonly string[]): readonly string[] {
  const [address = ""] = cidr.split("/");
  return families.map((family) => (family === "IPv6" ? `${besideIpv4(address)}/112` : cidr));
}
