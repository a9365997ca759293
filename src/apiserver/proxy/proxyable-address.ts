import { BlockList, isIPv4, isIPv6 } from "node:net";

const NOT_PROXYABLE = blocked();

/**
 * Whether requests may be passed on to an address: Go's `IsGlobalUnicast`, which leaves out unspecified, loopback,
 * link-local and multicast addresses and the broadcast address (upstream's `IsProxyableIP`, CVE-2020-8555).
 */
export function isProxyableAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:(?=[0-9.]+$)/i, "");
  if (isIPv4(plain)) return !NOT_PROXYABLE.check(plain, "ipv4");
  return isIPv6(plain) && !plain.includes("%") && !NOT_PROXYABLE.check(plain, "ipv6");
}

function blocked(): BlockList {
  const list = new BlockList();
  list.addAddress("0.0.0.0", "ipv4");
  list.addAddress("255.255.255.255", "ipv4");
  list.addSubnet("127.0.0.0", 8, "ipv4");
  list.addSubnet("169.254.0.0", 16, "ipv4");
  list.addSubnet("224.0.0.0", 4, "ipv4");
  list.addAddress("::", "ipv6");
  list.addAddress("::1", "ipv6");
  list.addSubnet("fe80::", 10, "ipv6");
  list.addSubnet("ff00::", 8, "ipv6");
  return list;
}
