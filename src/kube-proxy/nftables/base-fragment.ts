import { nftMatch } from "../traffic/local-detector.ts";
import type { NodeFacts } from "../traffic/node-facts.ts";
import type { NftChain, NftElement, NftFragment, NftSet } from "./fragment.ts";

/** What the rules that are there for all Services depend on. */
export interface BaseOptions {
  readonly node: NodeFacts;
  readonly serviceNetworks: readonly string[];
  readonly masqueradeAll: boolean;
  /** Such as 0x4000. */
  readonly masqueradeMark: string;
}

/** Chains at the kernel's hooks. Sources are judged before DNAT changes the destination, and everything else behind it. */
const HOOKS: Readonly<Record<string, string>> = {
  "filter-prerouting-pre-dnat": "type filter hook prerouting priority -110",
  "filter-output-pre-dnat": "type filter hook output priority -110",
  "filter-input": "type filter hook input priority 0",
  "filter-forward": "type filter hook forward priority 0",
  "filter-output": "type filter hook output priority 0",
  "nat-prerouting": "type nat hook prerouting priority -100",
  "nat-output": "type nat hook output priority -100",
  "nat-postrouting": "type nat hook postrouting priority 100",
};

const JUMPS: Readonly<Record<string, readonly string[]>> = {
  "filter-prerouting-pre-dnat": ["ct state new jump firewall-check"],
  "filter-output-pre-dnat": ["ct state new jump firewall-check"],
  "filter-input": ["ct state new jump nodeport-endpoints-check", "ct state new jump service-endpoints-check"],
  "filter-forward": ["ct state new jump service-endpoints-check", "ct state new jump cluster-ips-check"],
  "filter-output": ["ct state new jump service-endpoints-check", "ct state new jump cluster-ips-check"],
  "nat-prerouting": ["jump services"],
  "nat-output": ["jump services"],
  "nat-postrouting": ["jump masquerading"],
};

/** The part of the table that does not belong to any one Service, as upstream lays it out in v1.36. */
export function baseFragment(options: BaseOptions): NftFragment {
  const { nodePortIps } = options.node;
  const hooked = Object.entries(HOOKS).map(([name, hook]): [string, NftChain] => [name, { hook, rules: JUMPS[name] ?? [] }]);
  const elements = (nodePortIps ?? []).map((key): NftElement => ({ container: "nodeport-ips", key }));
  return { chains: new Map([...hooked, ...Object.entries(sharedChains(options))]), sets: sharedSets(options.node), elements };
}

function sharedChains(options: BaseOptions): Readonly<Record<string, NftChain>> {
  const ip = options.node.family === "IPv4" ? "ip" : "ip6";
  const target = `${ip} daddr . meta l4proto . th dport`;
  const nodePort = nodePortMatch(options.node);
  const isNodePort = options.node.nodePortIps === undefined ? `fib daddr type local ${nodePort}` : nodePort;
  const mark = options.masqueradeMark;
  const networks = options.serviceNetworks;
  const unallocated = `${ip} daddr { ${networks.join(", ")} } drop comment "Drop traffic to unallocated ClusterIPs"`;
  return {
    services: {
      rules: [
        ...masqueradeRules(options, ip),
        `${target} vmap @service-ips`,
        `${isNodePort} meta l4proto . th dport vmap @service-nodeports`,
      ],
    },
    masquerading: {
      rules: [
        // The mark goes, so that the packet is not masqueraded again when a tunnel sends it on.
        `mark and ${mark} != 0 mark set mark xor ${mark} masquerade fully-random`,
        `ct status dnat ${ip} saddr . ${ip} daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random`,
      ],
    },
    "firewall-check": { rules: [`${target} vmap @firewall-ips`] },
    "service-endpoints-check": { rules: [`${target} vmap @no-endpoint-services`] },
    "nodeport-endpoints-check": { rules: [`${nodePort} meta l4proto . th dport vmap @no-endpoint-nodeports`] },
    "cluster-ips-check": {
      rules: [
        `${ip} daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"`,
        ...(networks.length === 0 ? [] : [unallocated]),
      ],
    },
    "reject-chain": { comment: "helper for @no-endpoint-services / @no-endpoint-nodeports", rules: ["reject"] },
  };
}

/** Node ports are not served on loopback addresses: what comes from there could not be answered. */
function nodePortMatch({ family, nodePortIps }: NodeFacts): string {
  const ip = family === "IPv4" ? "ip" : "ip6";
  if (nodePortIps !== undefined) return `${ip} daddr @nodeport-ips`;
  return family === "IPv4" ? "ip daddr != 127.0.0.0/8" : "ip6 daddr != ::1";
}

function masqueradeRules({ node, masqueradeAll, masqueradeMark }: BaseOptions, ip: string): readonly string[] {
  const mark = `mark set mark or ${masqueradeMark}`;
  if (masqueradeAll) return [`${ip} daddr @cluster-ips ${mark} comment "masquerade all clusterIP traffic"`];
  const outside = nftMatch(node.detector, node.family, false);
  if (outside === undefined) return [];
  return [`${ip} daddr @cluster-ips ${outside} ${mark} comment "masquerade clusterIP traffic from outside cluster"`];
}

function sharedSets({ family, nodePortIps }: NodeFacts): ReadonlyMap<string, NftSet> {
  const address = family === "IPv4" ? "ipv4_addr" : "ipv6_addr";
  const target = `${address} . inet_proto . inet_service : verdict`;
  const set = (name: string, type: string, comment: string): [string, NftSet] => [
    name,
    { kind: type.endsWith("verdict") ? "map" : "set", definition: `type ${type} ; comment "${comment}" ;` },
  ];
  const nodePorts: [string, NftSet][] =
    nodePortIps === undefined ? [] : [set("nodeport-ips", address, "IPs that accept NodePort traffic")];
  return new Map([
    set("cluster-ips", address, "Active ClusterIPs"),
    ...nodePorts,
    set("hairpin-connections", `${address} . ${address} . inet_proto . inet_service`, "service hairpin connections"),
    set("firewall-ips", target, "destinations that are subject to LoadBalancerSourceRanges"),
    set(
      "no-endpoint-nodeports",
      "inet_proto . inet_service : verdict",
      "vmap to drop or reject packets to service nodeports with no endpoints",
    ),
    set("no-endpoint-services", target, "vmap to drop or reject packets to services with no endpoints"),
    set("service-ips", target, "ClusterIP, ExternalIP and LoadBalancer IP traffic"),
    set("service-nodeports", "inet_proto . inet_service : verdict", "NodePort traffic"),
  ]);
}
