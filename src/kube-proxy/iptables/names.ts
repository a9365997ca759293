import { createHash } from "node:crypto";
import { base32 } from "../nftables/names.ts";
import { type Endpoint, endpointKey } from "../traffic/endpoints.ts";
import { type ProxiedPort, portLabel } from "../traffic/proxied-port.ts";

/** Chain names may have 28 characters: prefix and so many of the hash. */
const HASH_CHARACTERS = 16;

/** The names of one port's chains. */
export interface ChainNames {
  readonly cluster: string;
  readonly local: string;
  readonly external: string;
  readonly firewall: string;
}

/** Upstream's names: a hash of `namespace/name:port` and the protocol. */
export function chainNames(port: ProxiedPort): ChainNames {
  const hash = hashed(`${portLabel(port)}${port.protocol}`);
  return { cluster: `KUBE-SVC-${hash}`, local: `KUBE-SVL-${hash}`, external: `KUBE-EXT-${hash}`, firewall: `KUBE-FW-${hash}` };
}

/** The name of an endpoint's chain. */
export function endpointChain(port: ProxiedPort, endpoint: Endpoint): string {
  return `KUBE-SEP-${hashed(`${portLabel(port)}${port.protocol}${endpointKey(endpoint)}`)}`;
}

/** Whether a chain is one of the above. */
export function isServiceChain(name: string): boolean {
  return /^KUBE-(SVC|SVL|EXT|FW|SEP)-/.test(name);
}

function hashed(text: string): string {
  return base32(createHash("sha256").update(text).digest()).slice(0, HASH_CHARACTERS);
}
