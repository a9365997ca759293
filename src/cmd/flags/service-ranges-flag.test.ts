import { expect, test } from "vitest";
import { readServiceRanges } from "./service-ranges-flag.ts";

const BOTH = "10.96.0.0/12,fd00:96::/112";

test("networks are passed on in canonical form", () => {
  expect(readServiceRanges("10.96.1.1/12,FD00:96::/112")).toBe(BOTH);
  expect(readServiceRanges(BOTH, { bindAddress: "0.0.0.0", advertiseAddress: "192.0.2.7" })).toBe(BOTH);
  expect(readServiceRanges("fd00:96::/112", { bindAddress: "2001:db8::7", advertiseAddress: "" })).toBe("fd00:96::/112");
});

test.each([
  ["nonsense", "0.0.0.0", "", "service-cluster-ip-range[0] is not a valid cidr"],
  [BOTH, "2001:db8::7", "", 'service IP family "10.96.0.0/12" must match public address family "2001:db8::7"'],
  ["fd00:96::/112", "::", "192.0.2.7", 'service IP family "fd00:96::/112" must match public address family "192.0.2.7"'],
])("%s with %s and %j is refused as a flag", (text, bindAddress, advertiseAddress, message) => {
  const read = () => readServiceRanges(text, { bindAddress, advertiseAddress });
  expect(read).toThrow(expect.objectContaining({ name: "FlagError", message }));
});
