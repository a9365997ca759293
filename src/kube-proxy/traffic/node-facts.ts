import type { Node } from "#api/generated/core/v1.ts";
import type { ProxyConfiguration } from "../configuration/proxy-configuration.ts";
import type { LocalAddress } from "../host.ts";
import { addressesOf, addressOf, contains, type IpFamily, isLoopback } from "./ip-family.ts";
import { type LocalDetector, localDetector } from "./local-detector.ts";
import type { NodePlace } from "./port-traffic.ts";

const ZONE_LABEL = "topology.kubernetes.io/zone";
/** The autoscaler's mark on nodes that are about to go: load balancers shall take them out. */
const TO_BE_DELETED_TAINT = "ToBeDeletedByClusterAutoscaler";
/** Word of {@link ProxyConfiguration.nodePortAddresses}. */
const PRIMARY = "primary";

/** What rules depend on of the node, for one family of addresses. */
export interface NodeFacts extends NodePlace {
  readonly family: IpFamily;
  /** By which others know the node; a loopback address where nobody says. */
  readonly nodeIp: string;
  /** Where node ports are open; undefined: on every address. */
  readonly nodePortIps: readonly string[] | undefined;
  readonly detector: LocalDetector;
}

/** The node as one family's rules see it. `node` is undefined while, or where, the API knows none of this name. */
export function nodeFacts(
  name: string,
  node: Node | undefined,
  configuration: ProxyConfiguration,
  family: IpFamily,
  addresses: () => readonly LocalAddress[],
): NodeFacts {
  const primary = primaryAddress(node, configuration, family);
  return {
    name,
    zone: node?.metadata.labels?.[ZONE_LABEL] ?? "",
    family,
    nodeIp: primary ?? (family === "IPv4" ? "127.0.0.1" : "::1"),
    nodePortIps: nodePortIps(configuration.nodePortAddresses, primary, family, addresses),
    detector: localDetector(configuration, family, podNetworks(node)),
  };
}

/** Whether load balancers may use the node: it is there, and is not about to go. */
export function isEligible(node: Node | undefined): boolean {
  if (node === undefined || node.metadata.deletionTimestamp !== undefined) return false;
  return !(node.spec?.taints ?? []).some(({ key }) => key === TO_BE_DELETED_TAINT);
}

/** The networks of a node's pods. */
export function podNetworks(node: Node | undefined): readonly string[] {
  const { podCIDR = "", podCIDRs = podCIDR === "" ? [] : [podCIDR] } = node?.spec ?? {};
  return podCIDRs;
}

/** `--bind-address` first, where it names one; else what the node object says: inner addresses before outer ones. */
function primaryAddress(node: Node | undefined, { bindAddress }: ProxyConfiguration, family: IpFamily): string | undefined {
  const bound = addressOf(family, bindAddress);
  if (bound !== undefined && bound !== "0.0.0.0" && bound !== "::") return bound;
  const addresses = node?.status?.addresses ?? [];
  const ofType = (wanted: string): readonly string[] =>
    addresses.flatMap(({ type, address }) => (type === wanted ? [address] : []));
  return addressesOf(family, [...ofType("InternalIP"), ...ofType("ExternalIP")])[0];
}

function nodePortIps(
  wanted: readonly string[],
  primary: string | undefined,
  family: IpFamily,
  addresses: () => readonly LocalAddress[],
): readonly string[] | undefined {
  if (wanted.includes(PRIMARY)) return primary === undefined || isLoopback(primary) ? [] : [primary];
  const networks = wanted.filter((network) => addressOf(family, network.split("/")[0] ?? "") !== undefined);
  // Upstream too opens all addresses of a family of which nothing is said.
  if (networks.length === 0 || networks.some((network) => network.endsWith("/0"))) return undefined;
  const own = addressesOf(
    family,
    addresses().map(({ address }) => address),
  ).toSorted();
  return own.filter((address) => networks.some((network) => contains(network, address)));
}
