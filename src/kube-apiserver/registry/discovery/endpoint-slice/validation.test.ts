import { expect, test } from "vitest";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { endpointSlices } from "./endpoint-slice.ts";
import { validateEndpointSlice, validateEndpointSliceUpdate } from "./validation.ts";

const slice = (change: object): EndpointSlice => ({
  metadata: { name: "web-x" },
  addressType: "IPv4",
  endpoints: [{ addresses: ["10.0.0.1"] }],
  ports: [{ name: "http", protocol: "TCP", port: 80 }],
  ...change,
});
const endpoint = (change: object): object => ({ endpoints: [{ addresses: ["10.0.0.1"], ...change }] });

test.each<[string, object, string[]]>([
  ["an address and a port", {}, []],
  ["no type", { addressType: "" }, ["addressType"]],
  ["no address", endpoint({ addresses: [] }), ["endpoints[0].addresses"]],
  [
    "too many addresses",
    endpoint({ addresses: Array.from({ length: 101 }, (_, i) => `10.0.0.${i + 1}`) }),
    ["endpoints[0].addresses"],
  ],
  ["an address of the other family", endpoint({ addresses: ["fd00::1"] }), ["endpoints[0].addresses[0]"]],
  ["an address of the machine itself", endpoint({ addresses: ["127.0.0.1"] }), ["endpoints[0].addresses[0]"]],
  ["a name of one segment", { addressType: "FQDN", ...endpoint({ addresses: ["web"] }) }, ["endpoints[0].addresses[0]"]],
  ["a name", { addressType: "FQDN", ...endpoint({ addresses: ["web.example.com."] }) }, []],
  ["a hint twice", endpoint({ hints: { forZones: [{ name: "a" }, { name: "a" }] } }), ["endpoints[0].hints.forZones[1].name"]],
  ["a port twice", { ports: [1, 2].map((port) => ({ name: "a", protocol: "TCP", port })) }, ["ports[1].name"]],
  ["an unknown protocol", { ports: [{ name: "a", protocol: "QUIC", port: 1 }] }, ["ports[0].protocol"]],
])("a slice with %s", (_, change, want) => {
  expect(validateEndpointSlice(slice(change)).map(({ field }) => field)).toEqual(want);
});

test("the type of addresses stays", () => {
  const errors = validateEndpointSliceUpdate(slice({ addressType: "IPv6", endpoints: [] }), slice({ endpoints: [] }));
  expect(errors.map(({ field }) => field)).toEqual(["addressType"]);
});

test("names as addresses are warned of once, notations always", () => {
  const { warningsOnCreate, warningsOnUpdate } = endpointSlices.strategy;
  const names = slice({ addressType: "FQDN", endpoints: [] });
  expect(warningsOnCreate?.(names)).toEqual(["spec.addressType: FQDN endpoints are deprecated"]);
  expect(warningsOnUpdate?.(names, names)).toEqual([]);
  const odd = slice({ addressType: "IPv6", endpoints: [{ addresses: ["FD00::1"] }] });
  expect(warningsOnCreate?.(odd)).toHaveLength(1);
  expect(warningsOnUpdate?.(odd, odd)).toHaveLength(1);
});

test("the topology of old goes with the first change, and leaves the node's name", () => {
  const topology = { deprecatedTopology: { "kubernetes.io/hostname": "n" } };
  const update = (change: object): unknown => {
    const object = slice(change) as Draft<EndpointSlice>;
    endpointSlices.strategy.prepareForUpdate?.(object, slice(endpoint(topology)), {
      info: { apiVersion: "v1" },
    } as RequestContext);
    return object.endpoints;
  };
  expect(update(endpoint(topology))).toEqual([{ addresses: ["10.0.0.1"], ...topology }]);
  expect(update(endpoint({ ...topology, hostname: "h" }))).toEqual([{ addresses: ["10.0.0.1"], hostname: "h", nodeName: "n" }]);
  expect(update(endpoint({ deprecatedTopology: { "kubernetes.io/hostname": "m" } }))).toEqual([{ addresses: ["10.0.0.1"] }]);
});
