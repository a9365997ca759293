import { expect, test } from "vitest";
import { isProxyableAddress } from "./proxyable-address.ts";

test.each([
  ["10.244.0.5", true],
  ["192.168.1.1", true],
  ["8.8.8.8", true],
  ["fd00::1", true],
  ["2001:db8::1", true],
  ["::ffff:10.0.0.1", true],
  ["127.0.0.1", false],
  ["127.1.2.3", false],
  ["0.0.0.0", false],
  ["255.255.255.255", false],
  ["169.254.169.254", false],
  ["224.0.0.1", false],
  ["::", false],
  ["::1", false],
  ["fe80::1", false],
  ["fe80::1%eth0", false],
  ["ff02::1", false],
  ["::ffff:127.0.0.1", false],
  ["::ffff:7f00:1", false],
  ["::ffff:169.254.169.254", false],
  ["", false],
  ["example.com", false],
])("%s: %s", (address, want) => {
  expect(isProxyableAddress(address)).toBe(want);
});
