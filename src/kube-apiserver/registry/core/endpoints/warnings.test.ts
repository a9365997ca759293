import { expect, test } from "vitest";
import { endpointSliceWarnings } from "../../discovery/endpoint-slice/warnings.ts";
import { endpointsWarnings } from "./warnings.ts";

const subsets = [{ addresses: [{ ip: "10.0.0.1" }], notReadyAddresses: [{ ip: "010.0.0.1" }] }];

test.each([
  { labels: {}, want: ['subsets[0].notReadyAddresses[0].ip: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"'] },
  { labels: { "endpoints.kubernetes.io/managed-by": "endpoint-controller" }, want: [] },
])("of Endpoints with $labels", ({ labels, want }) => {
  expect(endpointsWarnings({ metadata: { labels }, subsets })).toEqual(want);
});

test.each([
  {
    addressType: "IPv6",
    addresses: ["FD00::1"],
    want: ['endpoints[0].addresses[0]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")'],
  },
  { addressType: "FQDN", addresses: ["a.example.com"], want: ["spec.addressType: FQDN endpoints are deprecated"] },
] as const)("of a slice of $addressType", ({ addressType, addresses, want }) => {
  expect(endpointSliceWarnings({ metadata: {}, addressType, endpoints: [{ addresses }] })).toEqual(want);
});
