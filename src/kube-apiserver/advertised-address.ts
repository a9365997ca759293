import { isIP } from "node:net";
import { networkInterfaces } from "node:os";

/** Where a machine without any network is said to be: addresses of the documentation ranges (RFC 5737, RFC 3849). */
const NOWHERE = { 4: "192.0.2.1", 6: "2001:db8::1" } as const;

/**
 * The address that the members of a cluster reach the server by: the bound one, or the machine's first of the family that is neither its
 * loopback nor of one link alone.
 */
export function advertisedAddress(bindAddress: string, family: 4 | 6 = 4): string {
  const everywhere = bindAddress === "0.0.0.0" || bindAddress === "::";
  if (isIP(bindAddress) !== 0 && !everywhere && !bindAddress.startsWith("127.") && bindAddress !== "::1") return bindAddress;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const found = addresses.find(
    (entry) => entry.family === `IPv${family}` && !entry.internal && !/^(169\.254\.|fe[89ab])/.test(entry.address),
  );
  return found?.address ?? NOWHERE[family];
}
