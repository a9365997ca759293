import { expect, test } from "vitest";
import { besideIpv4, inFamilies, ipv4Beside, networksInFamilies } from "./simulated-addresses.ts";

test.each([
  ["10.244.3.7", "fd00::10:244:3:7"],
  ["172.18.0.2", "fd00::172:18:0:2"],
])("%s and %s are the same place", (ipv4, ipv6) => {
  expect([besideIpv4(ipv4), ipv4Beside(ipv6), ipv4Beside(ipv4)]).toEqual([ipv6, ipv4, ipv4]);
});

test("addresses and networks come in the order of the families", () => {
  expect(inFamilies("10.244.3.7", ["IPv4"])).toEqual(["10.244.3.7"]);
  expect(inFamilies("10.244.3.7", ["IPv6", "IPv4"])).toEqual(["fd00::10:244:3:7", "10.244.3.7"]);
  expect(networksInFamilies("10.244.3.0/24", ["IPv4", "IPv6"])).toEqual(["10.244.3.0/24", "fd00::10:244:3:0/112"]);
});
