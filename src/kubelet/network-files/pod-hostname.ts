import type { Pod } from "#api/generated/core/v1.ts";

/** Longest name of a host, and longest full name that the kernel takes, in characters. */
const HOSTNAME_LENGTH_MAX = 63;
const FULL_NAME_LENGTH_MAX = 64;

/** What a pod is called within, and the domain behind its name; empty for none. */
export interface PodHostname {
  readonly hostname: string;
  readonly domain: string;
}

/** The name and domain of a pod (upstream's `GeneratePodHostNameAndDomain`). */
export function podHostname({ metadata, spec }: Pick<Pod, "metadata" | "spec">, clusterDomain: string): PodHostname {
  const { hostname = "", subdomain = "", hostnameOverride } = spec;
  if (hostnameOverride !== undefined) return { hostname: cut(hostnameOverride), domain: "" };
  const name = hostname === "" ? (metadata.name ?? "") : hostname;
  const domain = subdomain === "" ? "" : `${subdomain}.${metadata.namespace ?? ""}.svc.${clusterDomain}`;
  return { hostname: cut(name), domain };
}

/** What `hostname` tells in the pod: with `setHostnameAsFQDN` the full name, which throws when that is too long for the kernel. */
export function kernelHostname(pod: Pick<Pod, "metadata" | "spec">, clusterDomain: string): string {
  const { hostname, domain } = podHostname(pod, clusterDomain);
  if (domain === "" || pod.spec.setHostnameAsFQDN !== true) return hostname;
  const full = `${hostname}.${domain}`;
  if (full.length <= FULL_NAME_LENGTH_MAX) return full;
  throw new Error(
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long ` +
      `(${FULL_NAME_LENGTH_MAX} characters is the max, ${full.length} characters requested)`,
  );
}

function cut(name: string): string {
  return name.length <= HOSTNAME_LENGTH_MAX ? name : name.slice(0, HOSTNAME_LENGTH_MAX).replace(/[-.]+$/, "");
}
