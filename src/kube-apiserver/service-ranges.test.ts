import { expect, test } from "vitest";
import { checkAdvertisedFamily, parseServiceRanges } from "./service-ranges.ts";

test.each([
  ["10.96.0.0/12", ["10.96.0.0/12"]],
  ["10.96.7.1/12", ["10.96.0.0/12"]],
  ["10.96.0.0/12,fd00:10:96::/112", ["10.96.0.0/12", "fd00:10:96::/112"]],
  ["FD00:0:96::7/108,10.0.0.0/29", ["fd00:0:96::/108", "10.0.0.0/29"]],
])("%s is %j", (text, want) => {
  expect(parseServiceRanges(text)).toEqual(want);
});

test.each([
  ["", "service-cluster-ip-range[0] is not a valid cidr"],
  ["10.0.0.0", "service-cluster-ip-range[0] is not a valid cidr"],
  ["10.0.0.0/24,", "service-cluster-ip-range[1] is not an ip net"],
  ["10.0.0.0/24, fd00::/112", "service-cluster-ip-range[1] is not an ip net"],
  ["10.0.0.0/24,fd00::/112,fd01::/112", "--service-cluster-ip-range must not contain more than two entries"],
  ["10.0.0.0/24,10.1.0.0/24", "--service-cluster-ip-range[0] and --service-cluster-ip-range[1] must be of different IP family"],
  [
    "10.0.0.0/30",
    "error determining service IP ranges for primary service cidr: the service cluster IP range must be at least 8 IP addresses",
  ],
  ["10.0.0.0/24,fd00::/48", "shortest allowed prefix length for service CIDR is 64, got 48"],
])("%j is refused", (text, message) => {
  expect(() => parseServiceRanges(text)).toThrow(new RangeError(message));
});

test("the address that is advertised is of the first family", () => {
  checkAdvertisedFamily(["10.0.0.0/24", "fd00::/112"], "192.0.2.7");
  checkAdvertisedFamily(["fd00::/112", "10.0.0.0/24"], "2001:db8::7");
  expect(() => checkAdvertisedFamily(["fd00::/112", "10.0.0.0/24"], "192.0.2.7")).toThrow(
    'service IP family "fd00::/112" must match public address family "192.0.2.7"',
  );
});
