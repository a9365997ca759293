import type { HostAlias } from "#api/generated/core/v1.ts";
import type { PodHostname } from "./pod-hostname.ts";

/** Where containers, and the node, have their hosts file. */
export const HOSTS_PATH = "/etc/hosts";

const HEADER = "# Kubernetes-managed hosts file.\n";
const HEADER_HOST_NETWORK = "# Kubernetes-managed hosts file (host network).\n";
const LOCAL_HOSTS: string = [
  "127.0.0.1\tlocalhost\n",
  "::1\tlocalhost ip6-localhost ip6-loopback\n",
  "fe00::0\tip6-localnet\n",
  "fe00::0\tip6-mcastprefix\n",
  "fe00::1\tip6-allnodes\n",
  "fe00::2\tip6-allrouters\n",
].join("");

/** `/etc/hosts` of a pod with a network of its own (upstream's `managedHostsFileContent`). */
export function managedHostsFile(
  ips: readonly string[],
  { hostname, domain }: PodHostname,
  aliases: readonly HostAlias[],
): string {
  const full = domain === "" ? "" : `${hostname}.${domain}\t`;
  return `${HEADER}${LOCAL_HOSTS}${ips.map((ip) => `${ip}\t${full}${hostname}\n`).join("")}${aliasLines(aliases)}`;
}

/** `/etc/hosts` of a pod with the node's network: the node's, and what the pod adds (upstream's `nodeHostsFileContent`). */
export function nodeHostsFile(ofNode: string, aliases: readonly HostAlias[]): string {
  return `${HEADER_HOST_NETWORK}${ofNode}${aliasLines(aliases)}`;
}

function aliasLines(aliases: readonly HostAlias[]): string {
  if (aliases.length === 0) return "";
  const lines = aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join("\t")}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join("")}`;
}
