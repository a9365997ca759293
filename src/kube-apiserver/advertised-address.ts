import { isIP } from "node:net";
import { networkInterfaces } from "node:os";

/** Where a machine without any network is said to be: an address of the documentation range (RFC 5737). */
const NOWHERE = "192.0.2.1";

/** The address that the members of a cluster reach the server by: the bound one, or the machine's first that is not its loopback. */
export function advertisedAddress(bindAddress: string): string {
  const isSpecific = isIP(bindAddress) === 4 && bindAddress !== "0.0.0.0" && !bindAddress.startsWith("127.");
  if (isSpecific) return bindAddress;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return (
    addresses.find((entry) => entry.family === "IPv4" && !entry.internal && !entry.address.startsWith("169.254."))?.address ??
    NOWHERE
  );
}
