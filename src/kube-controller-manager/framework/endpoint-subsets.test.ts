import { expect, test } from "vitest";
import type { EndpointSubset } from "#api/generated/core/v1.ts";
import { repackSubsets } from "./endpoint-subsets.ts";

const a = { ip: "10.0.0.1" };
const b = { ip: "10.0.0.2" };
const http = { name: "http", port: 80, protocol: "TCP" };
const https = { name: "https", port: 443, protocol: "TCP" };

test.each<[string, EndpointSubset[], EndpointSubset[]]>([
  [
    "addresses with one port stand together, sorted",
    [
      { addresses: [b], ports: [http] },
      { addresses: [a], ports: [http] },
    ],
    [{ addresses: [a, b], ports: [http] }],
  ],
  [
    "ports of the same addresses stand together",
    [
      { addresses: [a], ports: [http] },
      { addresses: [a], ports: [https] },
    ],
    [{ addresses: [a], ports: [http, https] }],
  ],
  [
    "a port that only one address offers stands apart",
    [
      { addresses: [a], ports: [http, https] },
      { addresses: [b], ports: [http] },
    ],
    [
      { addresses: [a, b], ports: [http] },
      { addresses: [a], ports: [https] },
    ],
  ],
  [
    "not ready wins",
    [
      { addresses: [a], ports: [http] },
      { notReadyAddresses: [a], ports: [http] },
    ],
    [{ notReadyAddresses: [a], ports: [http] }],
  ],
  ["addresses without port are kept", [{ addresses: [a] }], [{ addresses: [a] }]],
  ["what is empty goes", [{ ports: [http] }], []],
])("%s", (_name, subsets, want) => {
  expect(repackSubsets(subsets)).toEqual(want);
});
