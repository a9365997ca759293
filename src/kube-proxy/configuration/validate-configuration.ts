import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { parseCidr, parseIp } from "#apimachinery/validation/ip.ts";
import type { ModeConfiguration, ProxyConfiguration } from "./proxy-configuration.ts";

const AT_LEAST_ZERO = "must be greater than or equal to 0";
const ROOT: FieldPath = FieldPath.of("KubeProxyConfiguration");

/** What is wrong with a configuration, in upstream's words. */
export function validateConfiguration(configuration: ProxyConfiguration): readonly FieldError[] {
  const { mode, bindAddress, healthzBindAddress, metricsBindAddress, oomScoreAdj } = configuration;
  const periods = mode === "nftables" ? configuration.nftables : configuration.iptables;
  return [
    ...bitErrors(ROOT.child("KubeProxyIPTablesConfiguration"), configuration.iptables),
    ...(mode === "nftables" ? bitErrors(ROOT.child("KubeProxyNFTablesConfiguration"), configuration.nftables) : []),
    ...conntrackErrors(configuration),
    ...within(ROOT.child("KubeProxyLinuxConfiguration", "OOMScoreAdj"), oomScoreAdj, -1000, 1000),
    ...modeErrors(mode),
    ...periodErrors(periods),
    ...(parseIp(bindAddress) === undefined
      ? [invalid(ROOT.child("BindAddress"), bindAddress, "not a valid textual representation of an IP address")]
      : []),
    ...(healthzBindAddress === "" ? [] : hostPortErrors(ROOT.child("HealthzBindAddress"), healthzBindAddress)),
    ...(metricsBindAddress === "" ? [] : hostPortErrors(ROOT.child("MetricsBindAddress"), metricsBindAddress)),
    ...nodePortAddressErrors(configuration.nodePortAddresses),
    ...detectLocalErrors(configuration),
  ];
}

function bitErrors(path: FieldPath, { masqueradeBit }: ModeConfiguration): FieldError[] {
  return within(path.child("MasqueradeBit"), masqueradeBit, 0, 31);
}

function within(path: FieldPath, value: number, min: number, max: number): FieldError[] {
  const isWithin = Number.isInteger(value) && value >= min && value <= max;
  return isWithin ? [] : [invalid(path, value, `must be within the range [${min}, ${max}]`)];
}

function conntrackErrors({ conntrack }: ProxyConfiguration): FieldError[] {
  const path = ROOT.child("KubeProxyLinuxConfiguration", "KubeProxyConntrackConfiguration");
  const fields = {
    MaxPerCore: conntrack.maxPerCore,
    Min: conntrack.min,
    TCPEstablishedTimeout: conntrack.tcpEstablishedTimeoutMs,
    TCPCloseWaitTimeout: conntrack.tcpCloseWaitTimeoutMs,
    UDPTimeout: conntrack.udpTimeoutMs,
    UDPStreamTimeout: conntrack.udpStreamTimeoutMs,
  };
  return Object.entries(fields).flatMap(([name, value]) => (value < 0 ? [invalid(path.child(name), value, AT_LEAST_ZERO)] : []));
}

function modeErrors(mode: string): FieldError[] {
  if (["", "iptables", "nftables"].includes(mode)) return [];
  const modes = "must be iptables,nftables or blank (blank means the best-available proxy [currently iptables])";
  return [invalid(ROOT.child("Mode", "ProxyMode"), mode, modes)];
}

function periodErrors({ syncPeriodMs, minSyncPeriodMs }: ModeConfiguration): FieldError[] {
  const path = ROOT.child("SyncPeriod");
  if (minSyncPeriodMs < 0) return [invalid(ROOT.child("MinSyncPeriod"), minSyncPeriodMs, AT_LEAST_ZERO)];
  if (syncPeriodMs <= 0) return [invalid(path, syncPeriodMs, "must be greater than 0")];
  if (minSyncPeriodMs <= syncPeriodMs) return [];
  return [invalid(path, minSyncPeriodMs, `must be greater than or equal to ${ROOT.child("MinSyncPeriod")}`)];
}

/** The parts of `address:port`, where an IPv6 address stands in brackets; undefined where it is none. */
export function splitHostPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d*)$/.exec(text);
  return match === null ? undefined : { host: match[1] ?? match[2] ?? "", port: Number(match[3] === "" ? Number.NaN : match[3]) };
}

function hostPortErrors(path: FieldPath, text: string): FieldError[] {
  const parts = splitHostPort(text);
  if (parts === undefined) return [invalid(path, text, "must be IP:port")];
  const isPort = parts.port >= 1 && parts.port <= 65_535;
  return [
    ...(parseIp(parts.host) === undefined ? [invalid(path, parts.host, "must be a valid IP")] : []),
    ...(isPort ? [] : [invalid(path, text.slice(text.lastIndexOf(":") + 1), "must be a valid port")]),
  ];
}

function nodePortAddressErrors(addresses: readonly string[]): FieldError[] {
  const path = ROOT.child("NodePortAddresses");
  const primary = addresses.indexOf("primary");
  if (primary >= 0 && addresses.length > 1) {
    return [invalid(path.index(primary), "primary", "can't use both 'primary' and CIDRs")];
  }
  return addresses.flatMap((network, i) =>
    network === "primary" || parseCidr(network) !== undefined ? [] : [invalid(path.index(i), network, "must be a valid CIDR")],
  );
}

function detectLocalErrors({ detectLocalMode, detectLocal, clusterCIDR }: ProxyConfiguration): FieldError[] {
  const path = ROOT.child("DetectLocalConfiguration");
  const needed = (name: string, value: string): FieldError[] =>
    value === "" ? [invalid(path.child(name), value, "must not be empty")] : [];
  switch (detectLocalMode) {
    case "BridgeInterface":
      return needed("InterfaceName", detectLocal.bridgeInterface);
    case "InterfaceNamePrefix":
      return needed("InterfacePrefix", detectLocal.interfaceNamePrefix);
    case "NodeCIDR":
      return [];
    case "ClusterCIDR":
      return clusterCIDR === "" ? [] : clusterNetworkErrors(path.child("ClusterCIDRs"), clusterCIDR.split(","));
    default: {
      const modes = '"BridgeInterface", "ClusterCIDR", "InterfaceNamePrefix", "NodeCIDR"';
      const field = `${ROOT.child("DetectLocalMode")}`;
      const message = `Unsupported value: ${JSON.stringify(detectLocalMode)}: supported values: ${modes}`;
      return [{ type: "FieldValueNotSupported", field, message }];
    }
  }
}

function clusterNetworkErrors(path: FieldPath, networks: readonly string[]): FieldError[] {
  const pair = "must be a either a single CIDR or dual-stack pair of CIDRs (e.g. [10.100.0.0/16, fde4:8dba:82e1::/48]";
  if (networks.length > 2) return [invalid(path, networks, pair)];
  const wrong = networks.flatMap((network, i) =>
    parseCidr(network) === undefined
      ? [invalid(path.index(i), network, "must be a valid CIDR block (e.g. 10.100.0.0/16 or fde4:8dba:82e1::/48)")]
      : [],
  );
  const families = new Set(networks.map((network) => parseCidr(network)?.address.family));
  if (wrong.length > 0 || families.size === networks.length) return wrong;
  return [invalid(path, networks, pair)];
}
