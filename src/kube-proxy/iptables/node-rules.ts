import { isLoopback } from "../traffic/ip-family.ts";
import type { NodeFacts } from "../traffic/node-facts.ts";
import { FIREWALL, FORWARD, MARK_MASQ, NODE_PORTS, POSTROUTING, SERVICES, type Table } from "./shared-chains.ts";

/** What the rules depend on that belong to no Service. */
export interface NodeRuleOptions {
  readonly node: NodeFacts;
  /** Such as 0x4000. */
  readonly masqueradeMark: string;
  readonly localhostNodePorts: boolean;
  /** Packets out of a connection's window are taken: there is nothing to drop. */
  readonly tcpBeLiberal: boolean;
}

/** Chains whose rules do not come from Services. */
export function nodeChains(options: NodeRuleOptions): readonly (readonly [Table, string, readonly string[]])[] {
  const { node, masqueradeMark: mark, localhostNodePorts, tcpBeLiberal } = options;
  const invalid = tcpBeLiberal ? [] : ["-m conntrack --ctstate INVALID -j DROP"];
  const localnet = node.family === "IPv4" && localhostNodePorts;
  const blockLocalnet =
    '-m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP';
  return [
    [
      "filter",
      FORWARD,
      [
        ...invalid,
        `-m comment --comment "kubernetes forwarding rules" -m mark --mark ${mark}/${mark} -j ACCEPT`,
        '-m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
      ],
    ],
    // With route_localnet neighbours could reach what listens on 127.0.0.1 alone (CVE-2020-8558).
    ["filter", FIREWALL, localnet ? [blockLocalnet] : []],
    [
      "nat",
      POSTROUTING,
      [
        `-m mark ! --mark ${mark}/${mark} -j RETURN`,
        // The mark goes, so that the packet is not masqueraded again when a tunnel sends it on.
        `-j MARK --xor-mark ${mark}`,
        '-m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
      ],
    ],
    ["nat", MARK_MASQ, [`-j MARK --or-mark ${mark}`]],
  ];
}

/** What leads to node ports: the last rules of the chain of services in the table nat. */
export function nodePortRules({ node, localhostNodePorts }: NodeRuleOptions): readonly string[] {
  const said = '-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain"';
  const isOpen = (address: string): boolean => !isLoopback(address) || (node.family === "IPv4" && localhostNodePorts);
  if (node.nodePortIps !== undefined) {
    return node.nodePortIps.filter(isOpen).map((address) => `${said} -d ${address} -j ${NODE_PORTS}`);
  }
  const loopback = node.family === "IPv6" ? " ! -d ::1/128" : localhostNodePorts ? "" : " ! -d 127.0.0.0/8";
  return [`${said} -m addrtype --dst-type LOCAL${loopback} -j ${NODE_PORTS}`];
}

/** The chain of services in the table nat ends with {@link nodePortRules}. */
export const NODE_PORTS_BEHIND: string = SERVICES;
