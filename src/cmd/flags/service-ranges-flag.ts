import { FlagError } from "#component-base/flags.ts";
import { advertisedAddress } from "#kube-apiserver/advertised-address.ts";
import { checkAdvertisedFamily, parseServiceRanges } from "#kube-apiserver/service-ranges.ts";

/** What decides which address clients of the API are led to. */
export interface AdvertisedBy {
  readonly bindAddress: string;
  /** The bound one, or one of the machine's, when empty. */
  readonly advertiseAddress: string;
}

/**
 * The networks of `--service-cluster-ip-range`, as they are passed on. Throws a {@link FlagError} for what is none, and, with `advertised`,
 * where the server's address is not of the first one's family.
 */
export function readServiceRanges(text: string, advertised?: AdvertisedBy): string {
  try {
    const ranges = parseServiceRanges(text);
    if (advertised !== undefined) checkAdvertisedFamily(ranges, addressOf(ranges, advertised));
    return ranges.join(",");
  } catch (error) {
    if (error instanceof RangeError) throw new FlagError(error.message);
    throw error;
  }
}

function addressOf([first = ""]: readonly string[], { bindAddress, advertiseAddress }: AdvertisedBy): string {
  return advertiseAddress || advertisedAddress(bindAddress, first.includes(":") ? 6 : 4);
}
