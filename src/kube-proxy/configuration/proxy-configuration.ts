/** How rules are made. */
export type ProxyMode = "iptables" | "nftables";

/** How the traffic of pods is told from other traffic. */
export type DetectLocalMode = "ClusterCIDR" | "NodeCIDR" | "BridgeInterface" | "InterfaceNamePrefix";

/** What both modes take; durations in milliseconds. */
export interface ModeConfiguration {
  readonly masqueradeBit: number;
  readonly masqueradeAll: boolean;
  readonly syncPeriodMs: number;
  readonly minSyncPeriodMs: number;
}

/** Settings of the kernel's table of connections; durations in milliseconds, 0 to leave them alone. */
export interface ConntrackConfiguration {
  /** 0 leaves the kernel's limit, whatever `min` says. */
  readonly maxPerCore: number;
  readonly min: number;
  readonly tcpEstablishedTimeoutMs: number;
  readonly tcpCloseWaitTimeoutMs: number;
  readonly tcpBeLiberal: boolean;
  readonly udpTimeoutMs: number;
  readonly udpStreamTimeoutMs: number;
}

/** What a KubeProxyConfiguration of kubeproxy.config.k8s.io/v1alpha1 says, with all defaults filled in. */
export interface ProxyConfiguration {
  /** Empty: the best that the machine has the tools for, iptables first. */
  readonly mode: ProxyMode | "";
  readonly hostnameOverride: string;
  /** What the node's own address is taken to be; 0.0.0.0 and :: say nothing. */
  readonly bindAddress: string;
  /** `address:port`; empty for none. */
  readonly healthzBindAddress: string;
  readonly metricsBindAddress: string;
  readonly bindAddressHardFail: boolean;
  readonly enableProfiling: boolean;
  readonly iptables: ModeConfiguration & { readonly localhostNodePorts: boolean };
  readonly nftables: ModeConfiguration;
  readonly detectLocalMode: DetectLocalMode;
  readonly detectLocal: { readonly bridgeInterface: string; readonly interfaceNamePrefix: string };
  /** One network, or one of each family with a comma between. */
  readonly clusterCIDR: string;
  /** Networks, or the one word `primary`. */
  readonly nodePortAddresses: readonly string[];
  readonly oomScoreAdj: number;
  readonly conntrack: ConntrackConfiguration;
  readonly kubeconfig: string;
}

/** The ports where nobody says otherwise. */
export const PROXY_HEALTHZ_PORT = 10256;
export const PROXY_METRICS_PORT = 10249;

const MODE_DEFAULTS: ModeConfiguration = {
  masqueradeBit: 14,
  masqueradeAll: false,
  syncPeriodMs: 30_000,
  minSyncPeriodMs: 1_000,
};

/** Upstream's defaults. */
export const DEFAULT_CONFIGURATION: ProxyConfiguration = {
  mode: "",
  hostnameOverride: "",
  bindAddress: "0.0.0.0",
  healthzBindAddress: `0.0.0.0:${PROXY_HEALTHZ_PORT}`,
  metricsBindAddress: `127.0.0.1:${PROXY_METRICS_PORT}`,
  bindAddressHardFail: false,
  enableProfiling: false,
  iptables: { ...MODE_DEFAULTS, localhostNodePorts: true },
  nftables: MODE_DEFAULTS,
  detectLocalMode: "ClusterCIDR",
  detectLocal: { bridgeInterface: "", interfaceNamePrefix: "" },
  clusterCIDR: "",
  nodePortAddresses: [],
  oomScoreAdj: -999,
  conntrack: {
    maxPerCore: 32 * 1024,
    min: 128 * 1024,
    tcpEstablishedTimeoutMs: 24 * 3_600_000,
    tcpCloseWaitTimeoutMs: 3_600_000,
    tcpBeLiberal: false,
    udpTimeoutMs: 0,
    udpStreamTimeoutMs: 0,
  },
  kubeconfig: "",
};

/** The configuration of a mode, with what it says differently by default: node ports of nftables are open on the primary address only. */
export function forMode(configuration: ProxyConfiguration, mode: ProxyMode): ProxyConfiguration & { readonly mode: ProxyMode } {
  const { nodePortAddresses } = configuration;
  const isSaid = nodePortAddresses.length > 0 || mode === "iptables";
  return { ...configuration, mode, nodePortAddresses: isSaid ? nodePortAddresses : ["primary"] };
}
