import type { FlagSet, FlagSpec, ParsedFlags } from "#component-base/flags.ts";
import {
  DEFAULT_CONFIGURATION,
  type DetectLocalMode,
  PROXY_HEALTHZ_PORT,
  PROXY_METRICS_PORT,
  type ProxyConfiguration,
  type ProxyMode,
} from "#kube-proxy/configuration/proxy-configuration.ts";
import { count, durationMs, file, list, port, text, toggle } from "../flags/flag-specs.ts";
import { type FormerFlags, formerFlagSpecs } from "../flags/former-flags.ts";
import { logFlags } from "../flags/log-flags.ts";

const NO_IPVS = "there are no rules of IPVS: the modes are iptables and nftables";

/** Flags that are taken, and what they come to. */
export const formerProxyFlags: FormerFlags = {
  "kube-api-qps": { type: "string", says: "requests are held up by the API server's own fairness, not here" },
  "kube-api-burst": { type: "int", says: "requests are held up by the API server's own fairness, not here" },
  "kube-api-content-type": { type: "string", says: "objects are sent and read as JSON" },
  "config-sync-period": { type: "string", says: "the API server is followed by watches, which miss nothing" },
  "proxy-port-range": { type: "string", says: "no ports are opened for connections: the kernel translates them" },
  "show-hidden-metrics-for-version": { type: "string", says: "no metrics are hidden" },
  "ipvs-sync-period": { type: "string", says: NO_IPVS },
  "ipvs-min-sync-period": { type: "string", says: NO_IPVS },
  "ipvs-scheduler": { type: "string", says: NO_IPVS },
  "ipvs-exclude-cidrs": { type: "string", says: NO_IPVS },
  "ipvs-strict-arp": { type: "bool", says: NO_IPVS },
  "ipvs-tcp-timeout": { type: "string", says: NO_IPVS },
  "ipvs-tcpfin-timeout": { type: "string", says: NO_IPVS },
  "ipvs-udp-timeout": { type: "string", says: NO_IPVS },
  "cleanup-ipvs": { type: "bool", says: NO_IPVS },
  logtostderr: { type: "bool", says: "the log goes to standard error" },
};

type OwnFlagTypes = {
  readonly config: "string";
  readonly "write-config-to": "string";
  readonly cleanup: "bool";
  readonly "init-only": "bool";
  readonly kubeconfig: "string";
  readonly master: "string";
  readonly "hostname-override": "string";
  readonly "bind-address": "string";
  readonly "healthz-bind-address": "string";
  readonly "healthz-port": "int";
  readonly "metrics-bind-address": "string";
  readonly "metrics-port": "int";
  readonly "bind-address-hard-fail": "bool";
  readonly profiling: "bool";
  readonly "proxy-mode": "string";
  readonly "iptables-masquerade-bit": "int";
  readonly "iptables-localhost-nodeports": "bool";
  readonly "iptables-sync-period": "string";
  readonly "iptables-min-sync-period": "string";
  readonly "nftables-masquerade-bit": "int";
  readonly "nftables-sync-period": "string";
  readonly "nftables-min-sync-period": "string";
  readonly "masquerade-all": "bool";
  readonly "detect-local-mode": "string";
  readonly "pod-bridge-interface": "string";
  readonly "pod-interface-name-prefix": "string";
  readonly "cluster-cidr": "string";
  readonly "nodeport-addresses": "strings";
  readonly "oom-score-adj": "int";
  readonly "conntrack-max-per-core": "int";
  readonly "conntrack-min": "int";
  readonly "conntrack-tcp-timeout-established": "string";
  readonly "conntrack-tcp-timeout-close-wait": "string";
  readonly "conntrack-tcp-be-liberal": "bool";
  readonly "conntrack-udp-timeout": "string";
  readonly "conntrack-udp-timeout-stream": "string";
  readonly "feature-gates": "strings";
};

const { conntrack, iptables, nftables } = DEFAULT_CONFIGURATION;
const bit = (mode: string): FlagSpec<"int"> => ({
  ...count(`Bit of a packet's mark that says, in mode ${mode}, that its source is to be replaced; 0 to 31.`, 14),
  max: 31,
});
const period = (help: string, fallback: string): FlagSpec<"string"> => text("DURATION", help, fallback);

const ownFlags: { readonly [N in keyof OwnFlagTypes]: FlagSpec<OwnFlagTypes[N]> } = {
  config: file("KubeProxyConfiguration, in place of all flags but --master, --hostname-override and those of the log."),
  "write-config-to": file("Write the default configuration there, and end."),
  cleanup: toggle("Remove all rules of all modes, and end."),
  "init-only": toggle("Set the kernel up, which takes more rights than rules do, and end."),
  kubeconfig: file("How the API server is reached."),
  master: text("URL", "Where it is, in place of what the kubeconfig says; http without authentication."),
  "hostname-override": text("NAME", "The node's name; that of the host when empty."),
  "bind-address": text("IP", "The node's own address, in place of what its object says; nothing listens there.", "0.0.0.0"),
  "healthz-bind-address": text("IP:PORT", "Where /healthz and /livez are served.", DEFAULT_CONFIGURATION.healthzBindAddress),
  "healthz-port": port("Its port alone, 0 for none; the flag of former years.", PROXY_HEALTHZ_PORT),
  "metrics-bind-address": text(
    "IP:PORT",
    "Where metrics are served; empty for nowhere.",
    DEFAULT_CONFIGURATION.metricsBindAddress,
  ),
  "metrics-port": port("Its port alone, 0 for none; the flag of former years.", PROXY_METRICS_PORT),
  "bind-address-hard-fail": toggle("End where one of these ports cannot be had, in place of trying again."),
  profiling: toggle("Serve profiles at /debug/pprof/ with the metrics."),
  "proxy-mode": text("MODE", "iptables or nftables; what the machine has the tools for when empty, iptables first."),
  "iptables-masquerade-bit": bit("iptables"),
  "iptables-localhost-nodeports": toggle("Serve node ports on 127.0.0.1 too, in mode iptables.", iptables.localhostNodePorts),
  "iptables-sync-period": period("How often it is looked whether the rules are still there, in mode iptables.", "30s"),
  "iptables-min-sync-period": period("Time at least from one change of rules to the next, in mode iptables.", "1s"),
  "nftables-masquerade-bit": bit("nftables"),
  "nftables-sync-period": period("How often it is looked whether the rules are still there, in mode nftables.", "30s"),
  "nftables-min-sync-period": period("Time at least from one change of rules to the next, in mode nftables.", "1s"),
  "masquerade-all": toggle("Replace the source of all packets to cluster addresses."),
  "detect-local-mode": text(
    "MODE",
    "How packets of pods are told from others: ClusterCIDR, NodeCIDR, BridgeInterface or InterfaceNamePrefix.",
    DEFAULT_CONFIGURATION.detectLocalMode,
  ),
  "pod-bridge-interface": text("NAME", "The bridge of the pods, for BridgeInterface."),
  "pod-interface-name-prefix": text("PREFIX", "What names of the pods' interfaces begin with, for InterfaceNamePrefix."),
  "cluster-cidr": text("NETWORKS", "Network of all pods, or one of each family with a comma between, for ClusterCIDR."),
  "nodeport-addresses": list(
    "NETWORKS",
    "Networks of the addresses that node ports are open on, or primary; all in mode iptables, primary in mode nftables when empty.",
  ),
  "oom-score-adj": {
    ...count("How soon the kernel ends this process when memory is short, -1000 to 1000.", DEFAULT_CONFIGURATION.oomScoreAdj),
    min: -1000,
    max: 1000,
  },
  "conntrack-max-per-core": count(
    "Connections for each processor that the kernel shall remember; 0 leaves its limit.",
    conntrack.maxPerCore,
  ),
  "conntrack-min": count("Connections that it shall remember at least.", conntrack.min),
  "conntrack-tcp-timeout-established": period("How long it remembers an idle TCP connection; 0 leaves it.", "24h0m0s"),
  "conntrack-tcp-timeout-close-wait": period("How long one that is half closed; 0 leaves it.", "1h0m0s"),
  "conntrack-tcp-be-liberal": toggle("Let packets pass that are out of their connection's window."),
  "conntrack-udp-timeout": period("How long a UDP flow without answer; 0 leaves it.", "0s"),
  "conntrack-udp-timeout-stream": period("How long a UDP flow with answers; 0 leaves it.", "0s"),
  "feature-gates": list("PAIRS", "Name=true|false; what is there is on in any case."),
};

/** The flags of `kybern kube-proxy`. */
export const kubeProxyFlags: typeof ownFlags & typeof logFlags & FlagSet = {
  ...ownFlags,
  ...formerFlagSpecs(formerProxyFlags),
  ...logFlags,
};

/** What {@link kubeProxyFlags} say. */
export type KubeProxyFlags = ParsedFlags<typeof ownFlags & typeof logFlags>;

/** The configuration that the flags stand for, not yet validated. Throws a `FlagError` for what is no duration. */
export function configurationOfFlags(flags: KubeProxyFlags): ProxyConfiguration {
  const duration = (name: keyof KubeProxyFlags & string): number => durationMs(name, String(flags[name]));
  const masqueradeAll = flags["masquerade-all"];
  return {
    mode: flags["proxy-mode"] as ProxyMode | "",
    hostnameOverride: flags["hostname-override"],
    bindAddress: flags["bind-address"],
    healthzBindAddress: bindAddressOf(flags["healthz-bind-address"], flags["healthz-port"], PROXY_HEALTHZ_PORT),
    metricsBindAddress: bindAddressOf(flags["metrics-bind-address"], flags["metrics-port"], PROXY_METRICS_PORT),
    bindAddressHardFail: flags["bind-address-hard-fail"],
    enableProfiling: flags.profiling,
    iptables: {
      ...iptables,
      masqueradeBit: flags["iptables-masquerade-bit"],
      masqueradeAll,
      localhostNodePorts: flags["iptables-localhost-nodeports"],
      syncPeriodMs: duration("iptables-sync-period"),
      minSyncPeriodMs: duration("iptables-min-sync-period"),
    },
    nftables: {
      ...nftables,
      masqueradeBit: flags["nftables-masquerade-bit"],
      masqueradeAll,
      syncPeriodMs: duration("nftables-sync-period"),
      minSyncPeriodMs: duration("nftables-min-sync-period"),
    },
    detectLocalMode: flags["detect-local-mode"] as DetectLocalMode,
    detectLocal: {
      bridgeInterface: flags["pod-bridge-interface"],
      interfaceNamePrefix: flags["pod-interface-name-prefix"],
    },
    clusterCIDR: flags["cluster-cidr"],
    nodePortAddresses: flags["nodeport-addresses"],
    oomScoreAdj: flags["oom-score-adj"],
    conntrack: {
      maxPerCore: flags["conntrack-max-per-core"],
      min: flags["conntrack-min"],
      tcpEstablishedTimeoutMs: duration("conntrack-tcp-timeout-established"),
      tcpCloseWaitTimeoutMs: duration("conntrack-tcp-timeout-close-wait"),
      tcpBeLiberal: flags["conntrack-tcp-be-liberal"],
      udpTimeoutMs: duration("conntrack-udp-timeout"),
      udpStreamTimeoutMs: duration("conntrack-udp-timeout-stream"),
    },
    kubeconfig: flags.kubeconfig,
  };
}

/** An address may come without its port; the flag of former years names the port alone, or that there is to be none. */
function bindAddressOf(address: string, portAlone: number, usual: number): string {
  if (portAlone === 0 || address === "") return "";
  if (portAlone !== usual) return `${address.replace(/:\d*$/, "")}:${portAlone}`;
  return withPort(address, usual);
}

/** The address with a port: its own, or the one given. */
export function withPort(address: string, usual: number): string {
  if (/^(\[.*\]|[^:]*):\d*$/.test(address)) return address;
  return address.includes(":") && !address.startsWith("[") ? `[${address}]:${usual}` : `${address}:${usual}`;
}
