import type { Endpoint } from "../traffic/endpoints.ts";
import { contains, hostPort } from "../traffic/ip-family.ts";
import { iptablesMatch } from "../traffic/local-detector.ts";
import type { NodeFacts } from "../traffic/node-facts.ts";
import type { PortTraffic } from "../traffic/port-traffic.ts";
import { isExternal, portLabel } from "../traffic/proxied-port.ts";
import { chainNames, endpointChain } from "./names.ts";
import { EXTERNAL_SERVICES, MARK_MASQ, NODE_PORTS, PROXY_FIREWALL, SERVICES, type Table } from "./shared-chains.ts";

/** What belongs to one Service: rules in shared chains, by `table chain`, and chains of its own in the table nat. */
export interface ServiceRules {
  readonly dispatch: ReadonlyMap<string, readonly string[]>;
  readonly chains: ReadonlyMap<string, readonly string[]>;
}

/** What a Service's rules depend on beside itself. */
export interface ServiceOptions {
  readonly node: NodeFacts;
  readonly masqueradeAll: boolean;
}

/** How {@link ServiceRules} name a shared chain. */
export function dispatchKey(table: Table, chain: string): string {
  return `${table} ${chain}`;
}

/** The rules of one Service. Each is what stands behind `-A CHAIN `. */
export function serviceRules(ports: readonly PortTraffic[], options: ServiceOptions): ServiceRules {
  const dispatch = new Map<string, string[]>();
  const add = (table: Table, chain: string, rule: string): void => {
    const key = dispatchKey(table, chain);
    dispatch.set(key, [...(dispatch.get(key) ?? []), rule]);
  };
  for (const traffic of ports) {
    addTargets(traffic, add);
    addRefusals(traffic, add);
  }
  return { dispatch, chains: new Map(ports.flatMap((traffic) => ownChains(traffic, options))) };
}

type Add = (table: Table, chain: string, rule: string) => void;

function comment(text: string): string {
  return `-m comment --comment "${text}"`;
}

function to(protocol: string, port: number, address?: string): string {
  return `-m ${protocol} -p ${protocol}${address === undefined ? "" : ` -d ${address}`} --dport ${port}`;
}

/** What leads to the chains of the port. */
function addTargets({ port, hasEndpoints, hasInternal }: PortTraffic, add: Add): void {
  const { protocol, clusterIp, nodePort } = port;
  const [names, label] = [chainNames(port), portLabel(port)];
  const lead = (what: string, address: string, chain: string): void =>
    add("nat", SERVICES, `${comment(`${label} ${what}`)} ${to(protocol, port.port, address)} -j ${chain}`);
  if (hasInternal) lead("cluster IP", clusterIp, port.internalLocal ? names.local : names.cluster);
  if (!hasEndpoints) return;
  for (const address of port.externalIps) lead("external IP", address, names.external);
  const balanced = port.sourceRanges.length > 0 ? names.firewall : names.external;
  for (const address of port.loadBalancerIps) lead("loadbalancer IP", address, balanced);
  if (nodePort !== 0) add("nat", NODE_PORTS, `${comment(label)} ${to(protocol, nodePort)} -j ${names.external}`);
}

/** What is rejected or dropped, and what is let in. */
function addRefusals({ port, hasEndpoints, hasInternal, hasExternal }: PortTraffic, add: Add): void {
  const { protocol, nodePort } = port;
  const label = portLabel(port);
  const [why, target] = hasEndpoints ? [`${label} has no local endpoints`, "DROP"] : [`${label} has no endpoints`, "REJECT"];
  const refuse = (chain: string, address: string): void =>
    add("filter", chain, `${comment(why)} ${to(protocol, port.port, address)} -j ${target}`);
  if (!hasInternal) refuse(SERVICES, port.clusterIp);
  if (!hasExternal) {
    for (const address of [...port.externalIps, ...port.loadBalancerIps]) refuse(EXTERNAL_SERVICES, address);
    const local = `${comment(why)} -m addrtype --dst-type LOCAL ${to(protocol, nodePort)} -j ${target}`;
    if (nodePort !== 0) add("filter", EXTERNAL_SERVICES, local);
  }
  // What the firewall's chain does not lead on was not translated, and comes by here.
  for (const address of hasFirewall(port, hasEndpoints) ? port.loadBalancerIps : []) {
    const dropped = comment(`${label} traffic not accepted by ${chainNames(port).firewall}`);
    add("filter", PROXY_FIREWALL, `${dropped} ${to(protocol, port.port, address)} -j DROP`);
  }
  if (port.healthCheckNodePort === 0) return;
  add("filter", NODE_PORTS, `${comment(`${label} health check node port`)} ${to("tcp", port.healthCheckNodePort)} -j ACCEPT`);
}

function hasFirewall(port: PortTraffic["port"], hasEndpoints: boolean): boolean {
  return hasEndpoints && port.loadBalancerIps.length > 0 && port.sourceRanges.length > 0;
}

type Chains = (readonly [string, readonly string[]])[];

function ownChains(traffic: PortTraffic, options: ServiceOptions): Chains {
  const { port, cluster, local, reachable, hasEndpoints } = traffic;
  const names = chainNames(port);
  const chains: Chains = [];
  if (hasEndpoints && isExternal(port)) chains.push([names.external, externalRules(traffic, options.node)]);
  if (hasFirewall(port, hasEndpoints)) chains.push([names.firewall, firewallRules(traffic, options.node)]);
  const inner = internalMasquerade(traffic, options);
  if (cluster.length > 0) {
    chains.push([names.cluster, [...(port.internalLocal ? [] : inner), ...choice(traffic, cluster)]]);
  }
  if (local.length > 0) chains.push([names.local, [...(port.internalLocal ? inner : []), ...choice(traffic, local)]]);
  return [...chains, ...reachable.map((endpoint) => endpointRules(traffic, endpoint))];
}

/** Packets from outside the cluster to the cluster address have to come back this way. */
function internalMasquerade({ port, hasInternal }: PortTraffic, { node, masqueradeAll }: ServiceOptions): readonly string[] {
  const outside = masqueradeAll ? "" : iptablesMatch(node.detector, false);
  if (!hasInternal || outside === undefined) return [];
  const match = `${comment(`${portLabel(port)} cluster IP`)} ${to(port.protocol, port.port, port.clusterIp)}`;
  return [`${match}${outside === "" ? "" : ` ${outside}`} -j ${MARK_MASQ}`];
}

function externalRules({ port, hasExternal }: PortTraffic, node: NodeFacts): readonly string[] {
  const { cluster, local } = chainNames(port);
  const label = portLabel(port);
  const onwards = hasExternal ? [`-j ${port.externalLocal ? local : cluster}`] : [];
  if (!port.externalLocal)
    return [`${comment(`masquerade traffic for ${label} external destinations`)} -j ${MARK_MASQ}`, ...onwards];
  const fromPods = iptablesMatch(node.detector, true);
  const fromHere = "-m addrtype --src-type LOCAL";
  return [
    // Clients inside the cluster are served as if they went out and came in again, whatever the policy.
    ...(fromPods === undefined ? [] : [`${comment(`pod traffic for ${label} external destinations`)} ${fromPods} -j ${cluster}`]),
    // The source may be an address that other nodes have as well.
    `${comment(`masquerade LOCAL traffic for ${label} external destinations`)} ${fromHere} -j ${MARK_MASQ}`,
    `${comment(`route LOCAL traffic for ${label} external destinations`)} ${fromHere} -j ${cluster}`,
    ...onwards,
  ];
}

function firewallRules({ port }: PortTraffic, { nodeIp }: NodeFacts): readonly string[] {
  const { sourceRanges, loadBalancerIps } = port;
  const label = portLabel(port);
  const { external } = chainNames(port);
  const own = comment(`${label} loadbalancer IP`);
  // Where the node itself may come, its packets may have the balancer's address as their source.
  const fromNode = sourceRanges.some((range) => contains(range, nodeIp)) ? loadBalancerIps : [];
  return [
    ...[...sourceRanges, ...fromNode].map((source) => `${own} -s ${source} -j ${external}`),
    comment(`other traffic to ${label} will be dropped by KUBE-PROXY-FIREWALL`),
  ];
}

/** Clients that have an endpoint keep it; others get any, each as likely as the other: one of n, else one of n - 1, and so on. */
function choice({ port }: PortTraffic, endpoints: readonly Endpoint[]): readonly string[] {
  const arrow = (endpoint: Endpoint): string => comment(`${portLabel(port)} -> ${hostPort(endpoint.address, endpoint.port)}`);
  const { affinitySeconds } = port;
  const kept = affinitySeconds === undefined ? [] : endpoints;
  return [
    ...kept.map((endpoint) => {
      const chain = endpointChain(port, endpoint);
      return `${arrow(endpoint)} -m recent --name ${chain} --rcheck --seconds ${affinitySeconds} --reap -j ${chain}`;
    }),
    ...endpoints.map((endpoint, i) => {
      const left = endpoints.length - i;
      const chance = left === 1 ? "" : ` -m statistic --mode random --probability ${(1 / left).toFixed(10)}`;
      return `${arrow(endpoint)}${chance} -j ${endpointChain(port, endpoint)}`;
    }),
  ];
}

function endpointRules({ port }: PortTraffic, endpoint: Endpoint): Chains[number] {
  const chain = endpointChain(port, endpoint);
  const own = comment(portLabel(port));
  const remember = port.affinitySeconds === undefined ? "" : ` -m recent --name ${chain} --set`;
  const translate = `-m ${port.protocol} -p ${port.protocol} -j DNAT --to-destination ${hostPort(endpoint.address, endpoint.port)}`;
  // An endpoint that reaches itself would see its own address, and answer itself.
  return [chain, [`${own} -s ${endpoint.address} -j ${MARK_MASQ}`, `${own}${remember} ${translate}`]];
}
