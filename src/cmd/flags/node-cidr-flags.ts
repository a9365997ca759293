import { parseCidr } from "#apimachinery/validation/ip.ts";
import { FlagError } from "#component-base/flags.ts";
import type { ControllerOptions } from "#kube-controller-manager/framework/controller.ts";

/** Bits of a node's part where no flag says otherwise. */
const MASK_SIZES = { 4: 24, 6: 64 } as const;
/** Most bits between an IPv6 network and its parts. */
const IPV6_PART_BITS_MAX = 16;

/** What is said of the addresses of pods; sizes are 0 where nothing is. */
export interface NodeCidrFlags {
  readonly "allocate-node-cidrs": boolean;
  readonly "cluster-cidr": string;
  readonly "node-cidr-mask-size": number;
  readonly "node-cidr-mask-size-ipv4": number;
  readonly "node-cidr-mask-size-ipv6": number;
  readonly "service-cluster-ip-range": string;
}

/** Where nodes get their parts from. Throws a {@link FlagError}, in upstream's words (`validateCIDRs`, `setNodeCIDRMaskSizes`). */
export function nodeCidrs(flags: NodeCidrFlags): Pick<ControllerOptions, "nodeCidrs"> {
  if (!flags["allocate-node-cidrs"]) return {};
  if (flags["cluster-cidr"] === "") throw new FlagError("flag --allocate-node-cidrs needs --cluster-cidr");
  const cidrs = flags["cluster-cidr"].split(",");
  const families = cidrs.map(familyOf);
  if (cidrs.length > 2) throw new FlagError(`length of clusterCIDRs is:${cidrs.length} more than max allowed of 2`);
  if (cidrs.length === 2 && families[0] === families[1]) {
    throw new FlagError(
      `len of ClusterCIDRs==${cidrs.length} and they are not configured as dual stack (at least one from each IPFamily`,
    );
  }
  const sizes = maskSizes(flags, families);
  const clusterCidrs = cidrs.map((cidr, i) => {
    const maskSize = sizes[families[i] ?? 4];
    checkFit(cidr, maskSize);
    return { cidr, maskSize };
  });
  const services = flags["service-cluster-ip-range"].split(",").filter((cidr) => parseCidr(cidr) !== undefined);
  return { nodeCidrs: { clusterCidrs, serviceRanges: services } };
}

function familyOf(cidr: string, index: number): 4 | 6 {
  const network = parseCidr(cidr);
  if (network !== undefined) return network.address.family;
  throw new FlagError(
    `invalid CIDR[${index}]: ${JSON.stringify(cidr)} (flag --cluster-cidr takes networks such as 10.200.0.0/16)`,
  );
}

function maskSizes(flags: NodeCidrFlags, families: readonly (4 | 6)[]): Readonly<Record<4 | 6, number>> {
  const any = flags["node-cidr-mask-size"];
  const given = { 4: flags["node-cidr-mask-size-ipv4"], 6: flags["node-cidr-mask-size-ipv6"] };
  if (families.length > 1) {
    if (any !== 0) throw new FlagError("usage of --node-cidr-mask-size is not allowed with dual-stack clusters");
  } else if (any !== 0) {
    if (given[4] === 0 && given[6] === 0) return { 4: any, 6: any };
    throw new FlagError(
      "usage of --node-cidr-mask-size-ipv4 and --node-cidr-mask-size-ipv6 is not allowed if --node-cidr-mask-size is set. For dual-stack clusters please unset it and use IPFamily specific flags",
    );
  } else {
    const [own, other] = families[0] === 6 ? ([6, 4] as const) : ([4, 6] as const);
    if (given[other] !== 0) {
      throw new FlagError(`usage of --node-cidr-mask-size-ipv${other} is not allowed for a single-stack IPv${own} cluster`);
    }
  }
  return { 4: given[4] || MASK_SIZES[4], 6: given[6] || MASK_SIZES[6] };
}

function checkFit(cidr: string, maskSize: number): void {
  const length = Number(cidr.split("/")[1]);
  const isV6 = cidr.includes(":");
  if (maskSize < length || maskSize > (isV6 ? 128 : 32)) {
    throw new FlagError(`flag --node-cidr-mask-size: a range of /${maskSize} does not fit into ${cidr}`);
  }
  if (isV6 && maskSize - length > IPV6_PART_BITS_MAX) {
    throw new FlagError("New CIDR set failed; the node CIDR size is too big");
  }
}
