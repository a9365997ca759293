import { dump } from "js-yaml";
import { parseIp } from "#apimachinery/validation/ip.ts";
import { dnsManifest } from "#cluster-dns/manifest.ts";
import { FlagError, type FlagSpec, parseFlags } from "#component-base/flags.ts";
import { count, text, toggle } from "../flags/flag-specs.ts";

type DnsManifestFlagTypes = {
  readonly image: "string";
  readonly "cluster-ip": "string";
  readonly "cluster-domain": "string";
  readonly replicas: "int";
  readonly help: "bool";
};

/** Flags of `kybern config cluster-dns`. */
export const dnsManifestFlags: { readonly [N in keyof DnsManifestFlagTypes]: FlagSpec<DnsManifestFlagTypes[N]> } = {
  image: text("IMAGE", "Kybern's image, as the nodes' container runtimes know it."),
  "cluster-ip": text(
    "IP",
    "Address of the Service, in the service range: what kubelets are told by --cluster-dns.",
    "10.96.0.10",
  ),
  "cluster-domain": text("NAME", "What names of the cluster end in.", "cluster.local"),
  replicas: count("How many pods answer.", 2),
  help: toggle("Show this help."),
};

/** The DNS server as pods, as YAML for `kubectl apply`. Throws a {@link FlagError} for flags that make no sense. */
export function printedDnsManifest(args: readonly string[]): string {
  const flags = parseFlags(dnsManifestFlags, args);
  if (flags.image === "") throw new FlagError("flag --image must name Kybern's image");
  const clusterIp = flags["cluster-ip"];
  if (parseIp(clusterIp) === undefined) throw new FlagError(`flag --cluster-ip takes an IP address, not "${clusterIp}"`);
  const objects = dnsManifest({
    image: flags.image,
    clusterIp,
    clusterDomain: flags["cluster-domain"],
    replicas: flags.replicas,
  });
  return objects.map((object) => dump(object)).join("---\n");
}
