import { formatCidr, type IpNetwork, parseCidr } from "#apimachinery/validation/ip.ts";

/** Fewer addresses than this make no range of Services; upstream's `ServiceIPRange`. */
const ADDRESSES_MIN = 8n;
/** Larger networks of IPv6 are given to nobody; upstream's `NewIPAllocator`. */
const IPV6_LENGTH_MIN = 64;
const FLAG = "--service-cluster-ip-range";

/**
 * The networks of `--service-cluster-ip-range`, one or one of each family with a comma between, in canonical form; the first is the
 * default one. Throws a RangeError, in upstream's words (`getServiceIPAndRanges`, `validateClusterIPFlags`), for what is none.
 */
export function parseServiceRanges(text: string): readonly string[] {
  const parts = text.split(",");
  const [first, second] = parts.map(parseCidr);
  if (first === undefined) throw new RangeError("service-cluster-ip-range[0] is not a valid cidr");
  if (addressesOf(first) < ADDRESSES_MIN) {
    const problem = `the service cluster IP range must be at least ${ADDRESSES_MIN} IP addresses`;
    throw new RangeError(`error determining service IP ranges for primary service cidr: ${problem}`);
  }
  if (parts.length > 1 && second === undefined) throw new RangeError("service-cluster-ip-range[1] is not an ip net");
  if (parts.length > 2) throw new RangeError(`${FLAG} must not contain more than two entries`);
  if (second?.address.family === first.address.family) {
    throw new RangeError(`${FLAG}[0] and ${FLAG}[1] must be of different IP family`);
  }
  const networks = second === undefined ? [first] : [first, second];
  for (const { address, prefixLength } of networks) {
    if (address.family === 4 || prefixLength >= IPV6_LENGTH_MIN) continue;
    throw new RangeError(`shortest allowed prefix length for service CIDR is ${IPV6_LENGTH_MIN}, got ${prefixLength}`);
  }
  return networks.map(formatCidr);
}

/** Throws a RangeError where clients of `default/kubernetes` could not be led to the server: its Service has the first family only. */
export function checkAdvertisedFamily(ranges: readonly string[], advertised: string): void {
  const [range = ""] = ranges;
  if (range.includes(":") === advertised.includes(":")) return;
  throw new RangeError(
    `service IP family ${JSON.stringify(range)} must match public address family ${JSON.stringify(advertised)}`,
  );
}

function addressesOf({ address, prefixLength }: IpNetwork): bigint {
  return 1n << BigInt((address.family === 4 && !address.mapped ? 32 : 128) - prefixLength);
}
