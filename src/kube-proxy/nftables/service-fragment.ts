import type { Endpoint } from "../traffic/endpoints.ts";
import { contains, hostPort } from "../traffic/ip-family.ts";
import { nftMatch } from "../traffic/local-detector.ts";
import type { NodeFacts } from "../traffic/node-facts.ts";
import type { PortTraffic } from "../traffic/port-traffic.ts";
import { isExternal, portLabel } from "../traffic/proxied-port.ts";
import type { NftChain, NftElement, NftFragment, NftSet } from "./fragment.ts";
import { chainNames, endpointNames } from "./names.ts";

/** What a Service's rules depend on beside itself. */
export interface ServiceOptions {
  readonly node: NodeFacts;
  readonly masqueradeMark: string;
}

type Rules = [chain: string, rules: readonly string[]][];

/** The part of the table that belongs to one Service. */
export function serviceFragment(ports: readonly PortTraffic[], options: ServiceOptions): NftFragment {
  const rules = ports.flatMap((traffic) => portChains(traffic, options));
  return {
    chains: new Map(rules.map(([name, of]): [string, NftChain] => [name, { rules: of }])),
    sets: new Map(ports.flatMap((traffic) => affinitySets(traffic, options.node))),
    elements: ports.flatMap(portElements),
  };
}

function portChains(traffic: PortTraffic, options: ServiceOptions): Rules {
  const { port, cluster, local, hasEndpoints } = traffic;
  const names = chainNames(port);
  const chains: Rules = [];
  if (cluster.length > 0) chains.push([names.cluster, choice(traffic, cluster, options.node)]);
  if (local.length > 0) chains.push([names.local, choice(traffic, local, options.node)]);
  if (hasEndpoints && isExternal(port)) chains.push([names.external, externalRules(traffic, options)]);
  if (hasFirewall(traffic)) chains.push([names.firewall, [firewallRule(traffic, options.node)]]);
  if (port.affinitySeconds !== undefined) chains.push(...endpointChains(traffic, options.node));
  return chains;
}

/** Clients that have an endpoint keep it; others get any, each as likely as the other. */
function choice({ port }: PortTraffic, endpoints: readonly Endpoint[], { family }: NodeFacts): readonly string[] {
  const ip = family === "IPv4" ? "ip" : "ip6";
  const count = endpoints.length;
  if (port.affinitySeconds === undefined) {
    const targets = endpoints.map(({ address, port: to }, i) => `${i} : ${address} . ${to}`).join(", ");
    return [`meta l4proto ${port.protocol} dnat ${ip} to numgen random mod ${count} map { ${targets} }`];
  }
  const names = endpoints.map((endpoint) => endpointNames(port, endpoint));
  return [
    ...names.map(({ chain, affinity }) => `${ip} saddr @${affinity} goto ${chain}`),
    `numgen random mod ${count} vmap { ${names.map(({ chain }, i) => `${i} : goto ${chain}`).join(", ")} }`,
  ];
}

function endpointChains({ port, reachable }: PortTraffic, { family }: NodeFacts): Rules {
  return reachable.map((endpoint) => {
    const { chain, affinity } = endpointNames(port, endpoint);
    const target = hostPort(endpoint.address, endpoint.port);
    const remember = `update @${affinity} { ${family === "IPv4" ? "ip" : "ip6"} saddr }`;
    return [chain, [remember, `meta l4proto ${port.protocol} dnat to ${target}`]];
  });
}

function affinitySets({ port, reachable }: PortTraffic, { family }: NodeFacts): [string, NftSet][] {
  const { affinitySeconds } = port;
  if (affinitySeconds === undefined) return [];
  const type = family === "IPv4" ? "ipv4_addr" : "ipv6_addr";
  const definition = `type ${type} ; flags dynamic,timeout ; timeout ${affinitySeconds}s ;`;
  return reachable.map((endpoint) => [endpointNames(port, endpoint).affinity, { kind: "set", definition }]);
}

/** What goes to outer addresses and node ports. */
function externalRules({ port, hasExternal }: PortTraffic, { node, masqueradeMark }: ServiceOptions): readonly string[] {
  const { cluster, local } = chainNames(port);
  const mark = `mark set mark or ${masqueradeMark}`;
  // The answer has to come back this way, since the endpoint may be on another node.
  if (!port.externalLocal) return [mark, ...(hasExternal ? [`goto ${cluster}`] : [])];
  const fromPods = nftMatch(node.detector, node.family, true);
  return [
    // Clients inside the cluster are served as if they went out and came in again, whatever the policy.
    ...(fromPods === undefined ? [] : [`${fromPods} goto ${cluster} comment "short-circuit pod traffic"`]),
    // The source may be an address that other nodes have as well.
    `fib saddr type local ${mark} goto ${cluster} comment "short-circuit local traffic"`,
    ...(hasExternal ? [`goto ${local}`] : []),
  ];
}

function hasFirewall({ port }: PortTraffic): boolean {
  return port.loadBalancerIps.length > 0 && port.sourceRanges.length > 0;
}

/** Where the node itself may come, its packets may have the balancer's address as their source. */
function firewallRule({ port }: PortTraffic, { family, nodeIp }: NodeFacts): string {
  const { sourceRanges, loadBalancerIps } = port;
  const fromNode = sourceRanges.some((range) => contains(range, nodeIp)) ? loadBalancerIps : [];
  const sources = withoutCovered([...sourceRanges, ...fromNode]);
  return `${family === "IPv4" ? "ip" : "ip6"} saddr != { ${sources.join(", ")} } drop`;
}

/** nft takes no set in which one network lies in another. */
function withoutCovered(sources: readonly string[]): readonly string[] {
  const [address, length] = [
    (source: string) => source.split("/")[0] ?? "",
    (source: string) => Number(source.split("/")[1] ?? 128),
  ];
  return sources.filter(
    (source) =>
      !sources.some((other) => other.includes("/") && length(other) < length(source) && contains(other, address(source))),
  );
}

function portElements(traffic: PortTraffic): readonly NftElement[] {
  const { port, reachable, hasEndpoints, hasInternal, hasExternal } = traffic;
  const { clusterIp, protocol, nodePort } = port;
  const names = chainNames(port);
  const comment = portLabel(port);
  const at = (address: string): string => `${address} . ${protocol} . ${port.port}`;
  const nowhere = hasEndpoints ? "drop" : "goto reject-chain";
  const elements: NftElement[] = [{ container: "cluster-ips", key: clusterIp }];
  for (const { address, port: to } of reachable) {
    elements.push({ container: "hairpin-connections", key: `${address} . ${address} . ${protocol} . ${to}` });
  }
  const internal = port.internalLocal ? names.local : names.cluster;
  if (hasInternal) elements.push({ container: "service-ips", key: at(clusterIp), value: `goto ${internal}` });
  else elements.push({ container: "no-endpoint-services", key: at(clusterIp), value: nowhere, comment });
  const external = `goto ${names.external}`;
  for (const address of new Set([...port.externalIps, ...port.loadBalancerIps])) {
    if (hasEndpoints) elements.push({ container: "service-ips", key: at(address), value: external });
    if (!hasExternal) elements.push({ container: "no-endpoint-services", key: at(address), value: nowhere, comment });
  }
  for (const address of hasFirewall(traffic) ? port.loadBalancerIps : []) {
    elements.push({ container: "firewall-ips", key: at(address), value: `goto ${names.firewall}` });
  }
  if (nodePort === 0) return elements;
  const key = `${protocol} . ${nodePort}`;
  if (hasEndpoints) elements.push({ container: "service-nodeports", key, value: external });
  if (!hasExternal) elements.push({ container: "no-endpoint-nodeports", key, value: nowhere, comment });
  return elements;
}
