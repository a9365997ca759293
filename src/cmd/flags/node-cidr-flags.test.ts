import { expect, test } from "vitest";
import { type NodeCidrFlags, nodeCidrs } from "./node-cidr-flags.ts";

const flags = (cidr: string, [any = 0, v4 = 0, v6 = 0]: readonly number[] = [], services = ""): NodeCidrFlags => ({
  "allocate-node-cidrs": true,
  "cluster-cidr": cidr,
  "node-cidr-mask-size": any,
  "node-cidr-mask-size-ipv4": v4,
  "node-cidr-mask-size-ipv6": v6,
  "service-cluster-ip-range": services,
});

test.each<[string, readonly number[], readonly object[]]>([
  ["10.200.0.0/16", [], [{ cidr: "10.200.0.0/16", maskSize: 24 }]],
  ["10.200.0.0/16", [25], [{ cidr: "10.200.0.0/16", maskSize: 25 }]],
  ["fd00:200::/48", [], [{ cidr: "fd00:200::/48", maskSize: 64 }]],
  ["fd00:200::/56", [0, 0, 72], [{ cidr: "fd00:200::/56", maskSize: 72 }]],
  [
    "10.200.0.0/16,fd00:200::/48",
    [],
    [
      { cidr: "10.200.0.0/16", maskSize: 24 },
      { cidr: "fd00:200::/48", maskSize: 64 },
    ],
  ],
  [
    "fd00:200::/48,10.200.0.0/16",
    [0, 20, 60],
    [
      { cidr: "fd00:200::/48", maskSize: 60 },
      { cidr: "10.200.0.0/16", maskSize: 20 },
    ],
  ],
])("%s with sizes %j", (cidr, sizes, clusterCidrs) => {
  expect(nodeCidrs(flags(cidr, sizes, "10.0.0.0/24,fd00::/112")).nodeCidrs).toEqual({
    clusterCidrs,
    serviceRanges: ["10.0.0.0/24", "fd00::/112"],
  });
});

test("nothing is given where nobody asks for it", () => {
  expect(nodeCidrs({ ...flags("10.200.0.0/16"), "allocate-node-cidrs": false })).toEqual({});
});

test.each<[string, readonly number[], string]>([
  ["", [], "flag --allocate-node-cidrs needs --cluster-cidr"],
  ["pods", [], 'invalid CIDR[0]: "pods"'],
  ["10.0.0.0/8,11.0.0.0/8", [], "they are not configured as dual stack"],
  ["10.0.0.0/8,fd00::/48,11.0.0.0/8", [], "length of clusterCIDRs is:3 more than max allowed of 2"],
  ["10.0.0.0/8,fd00::/48", [24], "usage of --node-cidr-mask-size is not allowed with dual-stack clusters"],
  ["10.0.0.0/8", [24, 24], "is not allowed if --node-cidr-mask-size is set"],
  ["10.0.0.0/8", [0, 0, 64], "usage of --node-cidr-mask-size-ipv6 is not allowed for a single-stack IPv4 cluster"],
  ["fd00::/48", [0, 24], "usage of --node-cidr-mask-size-ipv4 is not allowed for a single-stack IPv6 cluster"],
  ["10.0.0.0/24", [16], "a range of /16 does not fit into 10.0.0.0/24"],
  ["fd00::/32", [], "New CIDR set failed; the node CIDR size is too big"],
])("%s with sizes %j is refused", (cidr, sizes, message) => {
  expect(() => nodeCidrs(flags(cidr, sizes))).toThrow(message);
});
