import type { Pod } from "#api/generated/core/v1.ts";
import { managedHostsFile, nodeHostsFile } from "../network-files/hosts-file.ts";
import { type DnsSettings, podDns } from "../network-files/pod-dns.ts";
import { podHostname } from "../network-files/pod-hostname.ts";
import { formatResolvConf } from "../network-files/resolv-conf.ts";

/** The cluster's domain, as kubeadm sets it up. */
const CLUSTER_DOMAIN = "cluster.local";
/** Where names of the cluster are asked for, and whom a simulated node asks itself. */
const DNS: DnsSettings = {
  clusterDns: ["10.96.0.10"],
  clusterDomain: CLUSTER_DOMAIN,
  ofNode: { servers: ["172.18.0.1"], searches: [], options: [] },
  nodeIps: [],
};
/** A simulated node's own hosts file. */
const NODE_HOSTS = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";

/** `/etc/hosts` of a simulated pod. */
export function hostsFile(pod: Pod, hostname: string, ip: string): string {
  const { hostNetwork = false, hostAliases = [] } = pod.spec;
  if (hostNetwork) return nodeHostsFile(NODE_HOSTS, hostAliases);
  return managedHostsFile([ip], { ...podHostname(pod, CLUSTER_DOMAIN), hostname }, hostAliases);
}

/** `/etc/resolv.conf` of a simulated pod. */
export function resolvConf(pod: Pod): string {
  return formatResolvConf(podDns(pod, DNS).config);
}
