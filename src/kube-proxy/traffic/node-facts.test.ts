import { expect, test } from "vitest";
import type { Node } from "#api/generated/core/v1.ts";
import { DEFAULT_CONFIGURATION, forMode, type ProxyConfiguration } from "../configuration/proxy-configuration.ts";
import type { IpFamily } from "./ip-family.ts";
import { iptablesMatch, nftMatch } from "./local-detector.ts";
import { isEligible, nodeFacts } from "./node-facts.ts";

const NODE = {
  metadata: { name: "n", labels: { "topology.kubernetes.io/zone": "a" } },
  spec: { podCIDR: "10.244.1.0/24", podCIDRs: ["10.244.1.0/24", "fd44:1::/64"] },
  status: {
    addresses: [
      { type: "Hostname", address: "n" },
      { type: "ExternalIP", address: "198.51.100.1" },
      { type: "InternalIP", address: "192.168.0.2" },
      { type: "InternalIP", address: "fd99:0::2" },
    ],
  },
} as Node;
const LOCAL = ["127.0.0.1", "::1", "192.168.0.2", "10.0.0.5", "fd99::2"].map((address) => ({ interfaceName: "x", address }));
const facts = (changed: Partial<ProxyConfiguration>, family: IpFamily = "IPv4", node: Node | undefined = NODE) =>
  nodeFacts("n", node, { ...DEFAULT_CONFIGURATION, ...changed }, family, () => LOCAL);

test.each([
  ["the inner one", {}, "IPv4", NODE, "192.168.0.2"],
  ["of its family", {}, "IPv6", NODE, "fd99::2"],
  ["the one that a flag names", { bindAddress: "10.0.0.5" }, "IPv4", NODE, "10.0.0.5"],
  ["a flag of the other family says nothing", { bindAddress: "10.0.0.5" }, "IPv6", NODE, "fd99::2"],
  ["a loopback address before there is a node", {}, "IPv6", undefined, "::1"],
] as const)("the node's address is %s", (_, changed, family, node, want) => {
  expect(nodeFacts("n", node, { ...DEFAULT_CONFIGURATION, ...changed }, family, () => LOCAL).nodeIp).toBe(want);
});

test.each([
  [[], "IPv4", undefined],
  [["primary"], "IPv4", ["192.168.0.2"]],
  [["10.0.0.0/8"], "IPv4", ["10.0.0.5"]],
  [["10.0.0.0/8", "127.0.0.0/8"], "IPv4", ["10.0.0.5", "127.0.0.1"]],
  [["10.0.0.0/8"], "IPv6", undefined],
  [["0.0.0.0/0"], "IPv4", undefined],
  [["172.16.0.0/12"], "IPv4", []],
] as const)("node ports with --nodeport-addresses=%j are open for %s on %j", (nodePortAddresses, family, want) => {
  expect(facts({ nodePortAddresses }, family).nodePortIps).toEqual(want);
});

test("node ports of nftables are open on the primary address unless it is said, those of iptables everywhere", () => {
  expect(forMode(DEFAULT_CONFIGURATION, "nftables").nodePortAddresses).toEqual(["primary"]);
  expect(forMode(DEFAULT_CONFIGURATION, "iptables").nodePortAddresses).toEqual([]);
  expect(forMode({ ...DEFAULT_CONFIGURATION, nodePortAddresses: ["10.0.0.0/8"] }, "nftables").nodePortAddresses).toEqual([
    "10.0.0.0/8",
  ]);
});

const detectLocal = { bridgeInterface: "cbr0", interfaceNamePrefix: "veth" };
test.each([
  [{ clusterCIDR: "10.244.0.0/16,fd44::/16" }, "IPv4", "ip saddr != 10.244.0.0/16", "! -s 10.244.0.0/16"],
  [{ clusterCIDR: "10.244.0.0/16,fd44::/16" }, "IPv6", "ip6 saddr != fd44::/16", "! -s fd44::/16"],
  [{ clusterCIDR: "10.244.0.0/16" }, "IPv6", undefined, undefined],
  [{ detectLocalMode: "NodeCIDR" }, "IPv6", "ip6 saddr != fd44:1::/64", "! -s fd44:1::/64"],
  [{ detectLocalMode: "BridgeInterface", detectLocal }, "IPv4", 'iifname != "cbr0"', "! -i cbr0"],
  [{ detectLocalMode: "InterfaceNamePrefix", detectLocal }, "IPv4", 'iifname != "veth*"', "! -i veth+"],
] as const)("packets from elsewhere with %j in %s", (changed, family, nft, iptables) => {
  const { detector } = facts(changed, family);
  expect([nftMatch(detector, family, false), iptablesMatch(detector, false)]).toEqual([nft, iptables]);
});

test.each([
  [undefined, false],
  [NODE, true],
  [{ ...NODE, metadata: { ...NODE.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } }, false],
  [{ ...NODE, spec: { taints: [{ key: "ToBeDeletedByClusterAutoscaler", effect: "NoSchedule" }] } }, false],
  [{ ...NODE, spec: { taints: [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }] } }, true],
])("load balancers may use node %#: %s", (node, want) => {
  expect(isEligible(node as Node | undefined)).toBe(want);
});
