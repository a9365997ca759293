import type { Pod, PodDNSConfigOption } from "#api/generated/core/v1.ts";
import type { DnsConfig } from "#cri/pod-sandbox.ts";

/** The most that resolvers take. */
const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
/** Of all searches with the spaces between them, and of one of them, in characters. */
const SEARCHES_LENGTH_MAX = 2048;
const SEARCH_LENGTH_MAX = 253;
const CLUSTER_OPTIONS: readonly string[] = ["ndots:5"];

/** How names are asked for on a node. */
export interface DnsSettings {
  /** The cluster's nameservers; none where there is no cluster DNS. */
  readonly clusterDns: readonly string[];
  /** Empty: there are no searches within the cluster. */
  readonly clusterDomain: string;
  /** What the node's `resolv.conf` says; undefined with `--resolv-conf=""`. */
  readonly ofNode: DnsConfig | undefined;
  /** The node's addresses. */
  readonly nodeIps: readonly string[];
}

/** What a pod's nameservers are, and what is to be told of that. */
export interface PodDns {
  readonly config: DnsConfig;
  /** Events of type Warning for the pod; those that are for its node too are `forNode`. */
  readonly warnings: readonly DnsWarning[];
}

/** An event about nameservers. */
export interface DnsWarning {
  readonly reason: string;
  readonly message: string;
  /** What is told of the node, where this is the node's fault. */
  readonly forNode?: string;
}

/** A pod's `resolv.conf` by its `dnsPolicy` and `dnsConfig` (upstream's `Configurer.GetPodDNS`). */
export function podDns(pod: Pod, settings: DnsSettings): PodDns {
  const warnings: DnsWarning[] = [];
  const base = baseConfig(pod, settings, warnings);
  const { nameservers = [], searches = [], options = [] } = pod.spec.dnsConfig ?? {};
  const config =
    pod.spec.dnsConfig === undefined
      ? base
      : {
          servers: unique([...base.servers, ...nameservers]),
          searches: unique([...base.searches, ...searches]),
          options: mergeOptions(base.options, options),
        };
  return { config: withinLimits(config, warnings), warnings };
}

function baseConfig(pod: Pod, settings: DnsSettings, warnings: DnsWarning[]): DnsConfig {
  const { dnsPolicy = "ClusterFirst", hostNetwork = false } = pod.spec;
  if (dnsPolicy === "None") return { servers: [], searches: [], options: [] };
  const { clusterDns, clusterDomain, ofNode } = settings;
  if (dnsPolicy === "ClusterFirstWithHostNet" || (dnsPolicy !== "Default" && !hostNetwork)) {
    if (clusterDns.length > 0) {
      const searches = ofNode?.searches ?? [];
      const base = `svc.${clusterDomain}`;
      const own = [`${pod.metadata.namespace ?? ""}.${base}`, base, clusterDomain];
      return {
        servers: clusterDns,
        searches: clusterDomain === "" ? searches : unique([...own, ...searches]),
        options: CLUSTER_OPTIONS,
      };
    }
    warnings.push(missingClusterDns(pod));
  }
  return ofNode ?? { servers: localServers(settings.nodeIps), searches: ["."], options: [] };
}

function missingClusterDns({ metadata }: Pod): DnsWarning {
  const { name = "", namespace = "", uid = "" } = metadata;
  const what = "kubelet does not have ClusterDNS IP configured and cannot create Pod using";
  const forNode = `${what} "ClusterFirst" policy. Falling back to "Default" policy.`;
  return { reason: "MissingClusterDNS", message: `pod: "${name}_${namespace}(${uid})". ${forNode}`, forNode };
}

/** Without a `resolv.conf` the node itself is asked, and nobody else. */
function localServers(nodeIps: readonly string[]): readonly string[] {
  const servers = nodeIps.map((ip) => (ip.includes(":") ? "::1" : "127.0.0.1"));
  return servers.length === 0 ? ["127.0.0.1"] : servers;
}

function mergeOptions(base: readonly string[], added: readonly PodDNSConfigOption[]): readonly string[] {
  const merged = new Map<string, string>();
  for (const option of base) {
    const [name = "", ...value] = option.split(":");
    merged.set(name, value.join(":"));
  }
  for (const { name = "", value = "" } of added) merged.set(name, value);
  return [...merged].map(([name, value]) => (value === "" ? name : `${name}:${value}`));
}

function withinLimits({ servers, searches, options }: DnsConfig, warnings: DnsWarning[]): DnsConfig {
  const keptServers = servers.slice(0, NAMESERVERS_MAX);
  if (keptServers.length < servers.length) {
    const what = "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is:";
    warnings.push({ reason: "DNSConfigForming", message: `${what} ${keptServers.join(" ")}` });
  }
  const kept = searches.slice(0, SEARCHES_MAX).filter(({ length }) => length <= SEARCH_LENGTH_MAX);
  while (kept.join(" ").length > SEARCHES_LENGTH_MAX) kept.pop();
  if (kept.length < searches.length) {
    const what = "Search Line limits were exceeded, some search paths have been omitted, the applied search line is:";
    warnings.push({ reason: "DNSConfigForming", message: `${what} ${kept.join(" ")}` });
  }
  return { servers: keptServers, searches: kept, options };
}

/**
 * What is wrong with the node's own searches, as an event `CheckLimitsForResolvConf` of the node tells it; undefined where
 * they leave room for the cluster's.
 */
export function resolvConfWarning(path: string, { searches }: DnsConfig, clusterDomain: string): string | undefined {
  const most = SEARCHES_MAX - (clusterDomain === "" ? 0 : 3);
  if (searches.length > most) {
    return `Resolv.conf file '${path}' contains search line consisting of more than ${most} domains!`;
  }
  if (searches.some(({ length }) => length > SEARCH_LENGTH_MAX)) {
    return `Resolv.conf file "${path}" contains a search path which length is more than allowed ${SEARCH_LENGTH_MAX} chars!`;
  }
  if (searches.join(" ").length <= SEARCHES_LENGTH_MAX) return undefined;
  return `Resolv.conf file '${path}' contains search line which length is more than allowed ${SEARCHES_LENGTH_MAX} chars!`;
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
