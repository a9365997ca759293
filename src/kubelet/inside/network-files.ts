import type { Pod } from "#api/generated/core/v1.ts";

/** Where names of the cluster are asked for, and what it is called; as kubeadm sets them up. */
const CLUSTER_DNS = "10.96.0.10";
const CLUSTER_DOMAIN = "cluster.local";
/** Whom a simulated node asks itself. */
const NODE_DNS = "172.18.0.1";
/** The most that a resolver takes. */
const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;

const LOCAL_HOSTS = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "fe00::0\tip6-mcastprefix",
  "fe00::1\tip6-allnodes",
  "fe00::2\tip6-allrouters",
];

/** `/etc/hosts` as the kubelet keeps it (upstream's `managedHostsFileContent`). */
export function hostsFile(pod: Pod, hostname: string, ip: string): string {
  const { hostNetwork = false, subdomain = "", hostAliases = [] } = pod.spec;
  const head = hostNetwork ? "# Kubernetes-managed hosts file (host network)." : "# Kubernetes-managed hosts file.";
  const full = subdomain === "" ? "" : `\t${hostname}.${subdomain}.${pod.metadata.namespace}.svc.${CLUSTER_DOMAIN}`;
  const own = hostNetwork ? [] : [`${ip}${full}\t${hostname}`];
  const aliases = hostAliases.map((alias) => [alias.ip, ...(alias.hostnames ?? [])].join("\t"));
  const added = aliases.length === 0 ? [] : ["", "# Entries added by HostAliases.", ...aliases];
  return `${[head, ...LOCAL_HOSTS, ...own, ...added].join("\n")}\n`;
}

/** `/etc/resolv.conf` by the pod's `dnsPolicy` and `dnsConfig` (upstream's `Configurer.GetPodDNS`). */
export function resolvConf(pod: Pod): string {
  const { dnsPolicy = "ClusterFirst", dnsConfig = {}, hostNetwork = false } = pod.spec;
  const cluster = dnsPolicy === "ClusterFirstWithHostNet" || (dnsPolicy === "ClusterFirst" && !hostNetwork);
  const base = `svc.${CLUSTER_DOMAIN}`;
  const none = dnsPolicy === "None";
  const nameservers = [...(none ? [] : [cluster ? CLUSTER_DNS : NODE_DNS]), ...(dnsConfig.nameservers ?? [])];
  const searches = [
    ...(cluster ? [`${pod.metadata.namespace}.${base}`, base, CLUSTER_DOMAIN] : []),
    ...(dnsConfig.searches ?? []),
  ];
  const options = new Map<string, string | undefined>(cluster ? [["ndots", "5"]] : []);
  for (const { name = "", value } of dnsConfig.options ?? []) options.set(name, value);
  const optionTexts = [...options].map(([name, value]) => (value === undefined || value === "" ? name : `${name}:${value}`));
  const lines = [
    ...(searches.length === 0 ? [] : [`search ${[...new Set(searches)].slice(0, SEARCHES_MAX).join(" ")}`]),
    ...[...new Set(nameservers)].slice(0, NAMESERVERS_MAX).map((server) => `nameserver ${server}`),
    ...(optionTexts.length === 0 ? [] : [`options ${optionTexts.join(" ")}`]),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
