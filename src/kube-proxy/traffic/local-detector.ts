import type { ProxyConfiguration } from "../configuration/proxy-configuration.ts";
import { type IpFamily, networkOf } from "./ip-family.ts";

/** How packets of this node's pods, or of the cluster's, are told from others; `none` where nobody says how. */
export type LocalDetector =
  | { readonly by: "network"; readonly network: string }
  | { readonly by: "interface"; readonly name: string }
  | { readonly by: "interfacePrefix"; readonly prefix: string }
  | { readonly by: "none" };

/** What the configuration says, for one family. `podNetworks` are the node's own, of all families. */
export function localDetector(
  { detectLocalMode, detectLocal, clusterCIDR }: ProxyConfiguration,
  family: IpFamily,
  podNetworks: readonly string[],
): LocalDetector {
  const byNetwork = (networks: readonly string[]): LocalDetector => {
    const network = networks.flatMap((text) => networkOf(family, text) ?? [])[0];
    return network === undefined ? { by: "none" } : { by: "network", network };
  };
  switch (detectLocalMode) {
    case "ClusterCIDR":
      return byNetwork(clusterCIDR.split(","));
    case "NodeCIDR":
      return byNetwork(podNetworks);
    case "BridgeInterface":
      return { by: "interface", name: detectLocal.bridgeInterface };
    case "InterfaceNamePrefix":
      return { by: "interfacePrefix", prefix: detectLocal.interfaceNamePrefix };
  }
}

/** As a match of nftables; undefined where nothing tells. */
export function nftMatch(detector: LocalDetector, family: IpFamily, isLocal: boolean): string | undefined {
  const not = isLocal ? "" : "!= ";
  switch (detector.by) {
    case "network":
      return `${family === "IPv4" ? "ip" : "ip6"} saddr ${not}${detector.network}`;
    case "interface":
      return `iifname ${not}"${detector.name}"`;
    case "interfacePrefix":
      return `iifname ${not}"${detector.prefix}*"`;
    case "none":
      return undefined;
  }
}

/** As a match of iptables; undefined where nothing tells. */
export function iptablesMatch(detector: LocalDetector, isLocal: boolean): string | undefined {
  const not = isLocal ? "" : "! ";
  switch (detector.by) {
    case "network":
      return `${not}-s ${detector.network}`;
    case "interface":
      return `${not}-i ${detector.name}`;
    case "interfacePrefix":
      return `${not}-i ${detector.prefix}+`;
    case "none":
      return undefined;
  }
}
