import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { formatIp, parseCidr } from "#apimachinery/validation/ip.ts";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { ClusterDns } from "#cluster-dns/cluster-dns.ts";
import { dnsEndpointSlice, dnsService, type ManifestObject } from "#cluster-dns/manifest.ts";
import type { Logger } from "#component-base/logging.ts";
import { dnsSockets } from "../cluster-dns/sockets.ts";
import { upstreamsOf } from "../cluster-dns.ts";
import { releaseAddress, takeAddress } from "./pod-network.ts";

const SERVICES: ResourceId = { group: "", version: "v1", resource: "services" };
const SLICES: ResourceId = { group: "discovery.k8s.io", version: "v1", resource: "endpointslices" };
const DNS_PORT = 53;
/** Its number in the service range, by custom. */
const DNS_ADDRESS = 10n;

/** The DNS server of `kybern up`. */
export interface UpDns {
  /** Where pods find it. */
  readonly address: string;
  close(): Promise<void>;
}

/** Options of {@link startUpDns}. */
export interface UpDnsOptions {
  readonly client: Client;
  readonly serviceClusterIpRange: string;
  readonly clusterDomain: string;
  /** An address of the machine to listen on, where a proxy leads there from the DNS address; else that is taken itself. */
  readonly listenAddress: string | undefined;
  readonly logger: Logger;
}

/** The tenth address of a service range; undefined where it has none, or is no range. */
export function dnsAddressOf(serviceClusterIpRange: string): string | undefined {
  const network = parseCidr(serviceClusterIpRange.split(",")[0] ?? "");
  if (network === undefined) return undefined;
  const { family, value } = network.address;
  const size = 1n << BigInt((family === 4 ? 32 : 128) - network.prefixLength);
  return size <= DNS_ADDRESS + 1n ? undefined : formatIp({ family, value: value - (value % size) + DNS_ADDRESS });
}

/**
 * Answers names of the cluster at an address that is this machine's alone, so that nobody outside reaches it: the gateway of its pods,
 * where the proxy leads to from the DNS address, or without a proxy the DNS address itself. Undefined, with a warning, where the address or its port cannot be had:
 * pods have the machine's own servers then.
 */
export async function startUpDns({
  client,
  serviceClusterIpRange,
  clusterDomain,
  listenAddress,
  logger,
}: UpDnsOptions): Promise<UpDns | undefined> {
  const address = dnsAddressOf(serviceClusterIpRange);
  if (address === undefined) return undefined;
  const own = listenAddress ?? address;
  let dns: ClusterDns | undefined;
  try {
    if (listenAddress === undefined) await takeAddress(address);
    dns = await ClusterDns.start({
      client,
      clock: realClock,
      random: systemRandom,
      logger,
      sockets: dnsSockets,
      addresses: [own],
      port: DNS_PORT,
      clusterDomain,
      pods: "insecure",
      upstreams: await upstreamsOf([], "/etc/resolv.conf"),
    });
    await ensure(client, SERVICES, dnsService(address));
    await ensure(client, SLICES, dnsEndpointSlice(own));
  } catch (error) {
    logger.warn({ address, err: error }, "no DNS server of the cluster's own can be had: pods have the machine's");
    await dns?.close();
    return undefined;
  }
  const running = dns;
  const close = async (): Promise<void> => {
    await running.close();
    if (listenAddress === undefined) await releaseAddress(address, logger);
  };
  return { address, close };
}

/**
 * What is there is somebody's choice, such as a DNS server of another kind. It is looked for first: to make a Service again is refused
 * for its address, which is taken, before its name is seen.
 */
async function ensure(client: Client, resource: ResourceId, object: ManifestObject): Promise<void> {
  const { name, namespace = "" } = object.metadata;
  const isAbsent = await client.get(resource, namespace, name).then(
    () => false,
    (error: unknown) => isNotFound(error) || Promise.reject(error),
  );
  if (isAbsent) await client.create(resource, namespace, object);
}
