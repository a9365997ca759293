import { describe, expect, test } from "vitest";
import type { Service } from "#api/generated/core/v1.ts";
import type { IPAddress, ServiceCIDR } from "#api/generated/networking/v1.ts";
import { addressObject } from "../registry/core/service/allocation/address-object.ts";
import { GRACE_MS, repairsOf } from "./repairs.ts";

const NOW = Date.UTC(2026, 0, 1);
const OLD = new Date(NOW - GRACE_MS - 1000).toISOString();
const NEW = new Date(NOW - GRACE_MS + 1000).toISOString();
const service = (name: string, clusterIPs: readonly string[]): Service => ({
  metadata: { name, namespace: "ns" },
  spec: { ...(clusterIPs[0] === undefined ? {} : { clusterIP: clusterIPs[0] }), clusterIPs },
});
const address = (ip: string, of: string, more: Partial<IPAddress> = {}, creationTimestamp = OLD): IPAddress => {
  const made = addressObject(ip, service(of, []));
  return { ...made, ...more, metadata: { ...made.metadata, ...more.metadata, creationTimestamp } } as IPAddress;
};
const RANGE = { metadata: { name: "kubernetes" }, spec: { cidrs: ["10.0.0.0/24", "fd00::/112"] } } as ServiceCIDR;
const look = (services: readonly Service[], addresses: readonly IPAddress[]) =>
  repairsOf({ services, addresses, serviceCidrs: [RANGE], nowMs: NOW }).map(({ type, fault }) => [type, fault?.reason]);

test("what is in step is left alone", () => {
  const services = [service("a", ["10.0.0.7", "fd00::7"]), service("b", ["None"]), service("c", [])];
  expect(look(services, [address("10.0.0.7", "a"), address("fd00::7", "a")])).toEqual([]);
});

test("an address is known however a Service writes it", () => {
  expect(look([service("a", ["fd00:0:0::0007"])], [address("fd00::7", "a")])).toEqual([]);
});

describe("a Service's address", () => {
  test.each<[string, Service[], IPAddress[], [string, string | undefined][]]>([
    ["of which there is no object", [service("a", ["10.0.0.7"])], [], [["take", "ClusterIPNotAllocated"]]],
    [
      "of which there is one of two",
      [service("a", ["10.0.0.7", "fd00::7"])],
      [address("10.0.0.7", "a")],
      [["take", "ClusterIPNotAllocated"]],
    ],
    ["in no network", [service("a", ["10.9.0.7"])], [], [["tell", "ClusterIPOutOfRange"]]],
    [
      "that is a Gateway's",
      [service("a", ["10.0.0.7"])],
      [
        address("10.0.0.7", "a", {
          metadata: { labels: {} },
          spec: { parentRef: { group: "g", resource: "gateways", name: "a" } },
        } as Partial<IPAddress>),
      ],
      [["replace", "ClusterIPNotAllocated"]],
    ],
    [
      "that is a Service's which is gone",
      [service("a", ["10.0.0.7"])],
      [address("10.0.0.7", "gone", {}, NEW)],
      [["replace", "ClusterIPNotAllocated"]],
    ],
    [
      "that another Service has too",
      [service("a", ["10.0.0.7"]), service("b", ["10.0.0.7"])],
      [address("10.0.0.7", "a")],
      [["tell", "ClusterIPAlreadyAllocated"]],
    ],
    [
      "without its labels",
      [service("a", ["10.0.0.7"])],
      [address("10.0.0.7", "a", { metadata: { labels: {} } })],
      [["replace", undefined]],
    ],
  ])("%s", (_, services, addresses, want) => {
    expect(look(services, addresses)).toEqual(want);
  });
});

describe("an object", () => {
  test.each<[string, IPAddress, [string, string][]]>([
    ["of a Service that is gone", address("10.0.0.8", "gone"), [["give back", "IPAddressNotAllocated"]]],
    ["of one that may be on its way", address("10.0.0.8", "gone", {}, NEW), []],
    ["of one that has another address", address("10.0.0.8", "a"), [["give back", "IPAddressWrongReference"]]],
    ["of one that may be about to have it", address("10.0.0.8", "a", {}, NEW), []],
    ["that somebody else keeps", address("10.0.0.8", "gone", { metadata: { labels: {} } }), []],
  ])("%s", (_, object, want) => {
    expect(look([service("a", ["10.0.0.7"])], [address("10.0.0.7", "a"), object])).toEqual(want);
  });
});
