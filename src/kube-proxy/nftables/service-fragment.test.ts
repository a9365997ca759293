import { expect, test } from "vitest";
import type { Service, ServiceSpec } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import type { NodeFacts } from "../traffic/node-facts.ts";
import { ServiceTable } from "../traffic/service-table.ts";
import { baseFragment } from "./base-fragment.ts";
import { type NftFragment, NO_FRAGMENT } from "./fragment.ts";
import { serviceFragment } from "./service-fragment.ts";
import { TableModel } from "./table-model.ts";
import { initialTransaction, readFormerTable, transaction } from "./transaction.ts";

const NODE: NodeFacts = {
  name: "here",
  zone: "",
  family: "IPv4",
  nodeIp: "192.168.0.2",
  nodePortIps: ["192.168.0.2"],
  detector: { by: "network", network: "10.0.0.0/8" },
};
const OPTIONS = { node: NODE, masqueradeMark: "0x4000", masqueradeAll: false, serviceNetworks: ["172.30.0.0/16"] };

function fragmentOf(spec: Partial<ServiceSpec>, where: readonly string[], balancer?: string): NftFragment {
  const table = new ServiceTable();
  const service = {
    metadata: { namespace: "ns5", name: "svc5" },
    spec: { clusterIP: "172.30.0.45", clusterIPs: ["172.30.0.45"], ports: [{ name: "p80", port: 80 }], ...spec },
    status: { loadBalancer: { ingress: balancer === undefined ? [] : [{ ip: balancer }] } },
  } as Service;
  const slice = {
    metadata: { namespace: "ns5", name: "x", labels: { "kubernetes.io/service-name": "svc5" } },
    addressType: "IPv4",
    ports: [{ name: "p80", port: 80, protocol: "TCP" }],
    endpoints: where.map((address) => ({ addresses: [address], nodeName: "there" })),
  } as EndpointSlice;
  table.setSlice(slice, true);
  const key = table.setService("ns5", "svc5", service);
  return serviceFragment(table.traffic(key, "IPv4", NODE), OPTIONS);
}

const plain = fragmentOf({}, ["10.1.0.1", "10.1.0.2"]);

test("a Service is one chain, its place in the maps, and its endpoints in the set of those that may meet themselves", () => {
  const model = new TableModel();
  expect(
    transaction("IPv4", model.update(new Map([["ns5/svc5", plain]])))
      .trim()
      .split("\n"),
  ).toEqual([
    "add chain ip kube-proxy service-HVFWP5L3-ns5/svc5/tcp/p80",
    "add rule ip kube-proxy service-HVFWP5L3-ns5/svc5/tcp/p80 meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.1.0.1 . 80, 1 : 10.1.0.2 . 80 }",
    "add element ip kube-proxy cluster-ips { 172.30.0.45 }",
    "add element ip kube-proxy hairpin-connections { 10.1.0.1 . 10.1.0.1 . tcp . 80 }",
    "add element ip kube-proxy hairpin-connections { 10.1.0.2 . 10.1.0.2 . tcp . 80 }",
    "add element ip kube-proxy service-ips { 172.30.0.45 . tcp . 80 : goto service-HVFWP5L3-ns5/svc5/tcp/p80 }",
  ]);
});

test("a change of endpoints is a change of one chain and of what differs", () => {
  const model = new TableModel();
  model.update(new Map([["ns5/svc5", plain]]));
  const change = model.update(new Map([["ns5/svc5", fragmentOf({}, ["10.1.0.1", "10.1.0.3"])]]));
  expect(transaction("IPv4", change).trim().split("\n")).toEqual([
    "flush chain ip kube-proxy service-HVFWP5L3-ns5/svc5/tcp/p80",
    "delete element ip kube-proxy hairpin-connections { 10.1.0.2 . 10.1.0.2 . tcp . 80 }",
    "add rule ip kube-proxy service-HVFWP5L3-ns5/svc5/tcp/p80 meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.1.0.1 . 80, 1 : 10.1.0.3 . 80 }",
    "add element ip kube-proxy hairpin-connections { 10.1.0.3 . 10.1.0.3 . tcp . 80 }",
  ]);
  expect(transaction("IPv4", model.update(new Map([["ns5/svc5", fragmentOf({}, ["10.1.0.1", "10.1.0.3"])]])))).toBe("");
});

test("a Service that goes empties its chains, and what others claim stays theirs", () => {
  const model = new TableModel();
  const twice = new Map([
    ["a", plain],
    ["b", { ...NO_FRAGMENT, elements: plain.elements.filter(({ container }) => container === "hairpin-connections") }],
  ]);
  model.update(twice);
  const change = transaction("IPv4", model.update(new Map([["a", NO_FRAGMENT]])));
  expect(change.trim().split("\n")).toEqual([
    "flush chain ip kube-proxy service-HVFWP5L3-ns5/svc5/tcp/p80",
    "delete element ip kube-proxy cluster-ips { 172.30.0.45 }",
    "delete element ip kube-proxy service-ips { 172.30.0.45 . tcp . 80 }",
  ]);
  expect(transaction("IPv4", model.update(new Map([["b", NO_FRAGMENT]])))).toContain(
    "delete element ip kube-proxy hairpin-connections",
  );
});

test("of two that claim an address the first by name has it, whichever came first", () => {
  const element = (value: string): NftFragment => ({
    ...NO_FRAGMENT,
    elements: [{ container: "service-ips", key: "1.2.3.4 . tcp . 80", value }],
  });
  const model = new TableModel();
  model.update(new Map([["b", element("goto b")]]));
  const taken = transaction("IPv4", model.update(new Map([["a", element("goto a")]])));
  expect(taken).toBe(
    "delete element ip kube-proxy service-ips { 1.2.3.4 . tcp . 80 }\nadd element ip kube-proxy service-ips { 1.2.3.4 . tcp . 80 : goto a }\n",
  );
  expect(transaction("IPv4", model.update(new Map([["a", NO_FRAGMENT]])))).toContain("{ 1.2.3.4 . tcp . 80 : goto b }");
});

test.each([
  {
    name: "without endpoints it rejects",
    of: fragmentOf({}, []),
    want: ['no-endpoint-services { 172.30.0.45 . tcp . 80 comment "ns5/svc5:p80" : goto reject-chain }'],
  },
  {
    name: "with policy Local and no endpoint here outer traffic is dropped, and led on inside",
    of: fragmentOf({ type: "NodePort", externalTrafficPolicy: "Local", ports: [{ name: "p80", port: 80, nodePort: 30000 }] }, [
      "10.1.0.1",
    ]),
    want: [
      'external-HVFWP5L3-ns5/svc5/tcp/p80 ip saddr 10.0.0.0/8 goto service-HVFWP5L3-ns5/svc5/tcp/p80 comment "short-circuit pod traffic"',
      'external-HVFWP5L3-ns5/svc5/tcp/p80 fib saddr type local mark set mark or 0x4000 goto service-HVFWP5L3-ns5/svc5/tcp/p80 comment "short-circuit local traffic"',
      "service-nodeports { tcp . 30000 : goto external-HVFWP5L3-ns5/svc5/tcp/p80 }",
      'no-endpoint-nodeports { tcp . 30000 comment "ns5/svc5:p80" : drop }',
    ],
  },
  {
    name: "with affinity endpoints have chains, and clients are remembered",
    of: fragmentOf({ sessionAffinity: "ClientIP" }, ["10.180.0.3"]),
    want: [
      "affinity-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 { type ipv4_addr ; flags dynamic,timeout ; timeout 10800s ; }",
      "service-HVFWP5L3-ns5/svc5/tcp/p80 ip saddr @affinity-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 goto endpoint-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80",
      "service-HVFWP5L3-ns5/svc5/tcp/p80 numgen random mod 1 vmap { 0 : goto endpoint-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 }",
      "endpoint-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 update @affinity-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 { ip saddr }",
      "endpoint-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 meta l4proto tcp dnat to 10.180.0.3:80",
    ],
  },
  {
    name: "source ranges that lie in others are left out, and the balancer's address stands for the node",
    of: fragmentOf(
      { type: "LoadBalancer", loadBalancerSourceRanges: ["192.168.0.0/16", "192.168.0.0/24", "203.0.113.0/25"] },
      ["10.1.0.1"],
      "5.6.7.8",
    ),
    want: [
      "firewall-HVFWP5L3-ns5/svc5/tcp/p80 ip saddr != { 192.168.0.0/16, 203.0.113.0/25, 5.6.7.8 } drop",
      "firewall-ips { 5.6.7.8 . tcp . 80 : goto firewall-HVFWP5L3-ns5/svc5/tcp/p80 }",
    ],
  },
])("$name", ({ of, want }) => {
  const lines = transaction("IPv4", new TableModel().update(new Map([["ns5/svc5", of]]))).split("\n");
  for (const line of want)
    expect(lines.map((text) => text.replace(/^add (rule|element|set) ip kube-proxy /, ""))).toContain(line);
});

test("the table is made at first, in place of what a former run left", () => {
  const former = readFormerTable(
    JSON.stringify({
      nftables: [
        { metainfo: {} },
        { table: { family: "ip", name: "kube-proxy" } },
        { chain: { name: "nat-output", hook: "output" } },
        { chain: { name: "service-OLD-ns/x/tcp/p" } },
        { set: { name: "affinity-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80", timeout: 10_800 } },
        { set: { name: "affinity-OLD", timeout: 60 } },
        { map: { name: "service-ips" } },
      ],
    }),
  );
  const fragments = new Map([
    ["", baseFragment(OPTIONS)],
    ["ns5/svc5", fragmentOf({ sessionAffinity: "ClientIP" }, ["10.180.0.3"])],
  ]);
  const lines = initialTransaction("IPv4", new TableModel().update(fragments), former).split("\n");
  expect(lines.slice(0, 6)).toEqual([
    'add table ip kube-proxy { comment "rules for kube-proxy" ; }',
    "flush chain ip kube-proxy nat-output",
    "flush chain ip kube-proxy service-OLD-ns/x/tcp/p",
    "delete chain ip kube-proxy nat-output",
    "delete set ip kube-proxy affinity-OLD",
    "delete map ip kube-proxy service-ips",
  ]);
  // Clients keep their endpoints.
  expect(lines.filter((line) => line.startsWith("add set ip kube-proxy affinity-"))).toEqual([]);
  expect(lines).toContain("add rule ip kube-proxy nat-output jump services");
});
