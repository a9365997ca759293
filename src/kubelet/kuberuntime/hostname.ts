import type { Pod } from "#api/generated/core/v1.ts";

/** Longest name of a host, in characters. */
const HOSTNAME_LENGTH_MAX = 63;
const CLUSTER_DOMAIN = "cluster.local";

/** What a pod's containers call their host (upstream's `GeneratePodHostNameAndDomain`). */
export function hostnameOf({ metadata, spec }: Pick<Pod, "metadata" | "spec">, clusterDomain: string = CLUSTER_DOMAIN): string {
  if (spec.hostnameOverride !== undefined && spec.hostnameOverride !== "") return spec.hostnameOverride;
  const short = (spec.hostname ?? metadata.name ?? "").slice(0, HOSTNAME_LENGTH_MAX).replace(/[-.]$/, "");
  if (spec.setHostnameAsFQDN !== true || spec.subdomain === undefined || spec.subdomain === "") return short;
  return `${short}.${spec.subdomain}.${metadata.namespace ?? ""}.svc.${clusterDomain}`;
}
