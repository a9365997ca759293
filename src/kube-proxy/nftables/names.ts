import { createHash } from "node:crypto";
import type { Endpoint } from "../traffic/endpoints.ts";
import type { ProxiedPort } from "../traffic/proxied-port.ts";

/** The one table, in each family. */
export const TABLE = "kube-proxy";
/** What the kernel takes as a name, less the longest of the prefixes below. */
const NAME_CHARACTERS_MAX = 256 - 16;
const HASH_CHARACTERS = 8;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The names of one port's chains. */
export interface ChainNames {
  readonly cluster: string;
  readonly local: string;
  readonly external: string;
  readonly firewall: string;
}

/** Upstream's names, which tell people what a chain is for and are unique by a hash. */
export function chainNames({ namespace, service, protocol, name }: ProxiedPort): ChainNames {
  const base = hashed(`${namespace}/${service}/${protocol}/${name}`);
  return { cluster: `service-${base}`, local: `local-${base}`, external: `external-${base}`, firewall: `firewall-${base}` };
}

/** An endpoint's chain, and the set of clients that stay with it. Only where a Service has session affinity. */
export function endpointNames(
  { namespace, service, protocol, name }: ProxiedPort,
  { address, port }: Endpoint,
): { readonly chain: string; readonly affinity: string } {
  // Colons must not stand in names.
  const base = hashed(`${namespace}/${service}/${protocol}/${name}__${address.replaceAll(":", ".")}/${port}`);
  return { chain: `endpoint-${base}`, affinity: `affinity-${base}` };
}

/** Whether a set is one of {@link endpointNames}. */
export function isAffinitySet(name: string): boolean {
  return name.startsWith("affinity-");
}

function hashed(name: string): string {
  const full = `${base32(createHash("sha256").update(name).digest()).slice(0, HASH_CHARACTERS)}-${name}`;
  return full.length > NAME_CHARACTERS_MAX ? `${full.slice(0, NAME_CHARACTERS_MAX - 3)}...` : full;
}

/** RFC 4648, of as many whole groups of five bits as there are. */
export function base32(bytes: Uint8Array): string {
  let text = "";
  let [bits, count] = [0, 0];
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xfff;
    count += 8;
    while (count >= 5) {
      count -= 5;
      text += BASE32[(bits >> count) & 31];
    }
  }
  return text;
}
