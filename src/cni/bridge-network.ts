import { createHash } from "node:crypto";
import type { NetworkConfiguration } from "./network-configuration.ts";

/** What {@link bridgeNetwork} takes. */
export interface BridgeOptions {
  /** The node's own part of the pods' addresses: one range, or one of IPv4 and one of IPv6. */
  readonly podCidrs: readonly string[];
  /** Name of the bridge on the node, at most 15 characters. */
  readonly bridge: string;
  /** Largest packet in bytes, where it is not that of the bridge's usual 1,500: an overlay's is smaller. */
  readonly mtu?: number;
  /** Whether pods speak to what is not on this node from the node's own address. Without: somebody else sees to their way back. */
  readonly masquerade: boolean;
}

/** The newest version of the protocol that the plugins of every current distribution speak. */
const CNI_VERSION = "1.0.0";
/** Where the addresses that are given out are written down: forgotten with the pods when the machine starts anew. */
const ADDRESSES = "/run/kybern/cni";
/** Names of network interfaces end here. */
const INTERFACE_NAME_MAX = 15;

/** The network of a node's pods: a bridge on which they reach one another and the node, and ports of the node that lead to them. */
export function bridgeNetwork({ podCidrs, bridge, mtu, masquerade }: BridgeOptions): NetworkConfiguration {
  const routes = podCidrs.map((cidr) => ({ dst: cidr.includes(":") ? "::/0" : "0.0.0.0/0" }));
  return {
    cniVersion: CNI_VERSION,
    name: "kybern",
    plugins: [
      {
        type: "bridge",
        bridge,
        isGateway: true,
        // A node that comes back under another range keeps its bridge.
        forceAddress: true,
        ipMasq: masquerade,
        // Pods reach themselves by their Services.
        hairpinMode: true,
        ...(mtu === undefined ? {} : { mtu }),
        ipam: { type: "host-local", ranges: podCidrs.map((subnet) => [{ subnet }]), routes, dataDir: `${ADDRESSES}/${bridge}` },
      },
      { type: "portmap", capabilities: { portMappings: true }, snat: true },
    ],
  };
}

/** A name for the bridge of one of several nodes on a machine. */
export function bridgeName(nodeName: string): string {
  const digest = createHash("sha256").update(nodeName).digest("hex");
  return `kyb${digest}`.slice(0, INTERFACE_NAME_MAX);
}

/** What every sandbox has in any network, for runtimes that ask for it by a file of its own. */
export const LOOPBACK_NETWORK: NetworkConfiguration = { cniVersion: CNI_VERSION, name: "lo", plugins: [{ type: "loopback" }] };
