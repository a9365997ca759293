import { describe, expect, test } from "vitest";
import type { Service, ServiceSpec } from "#api/generated/core/v1.ts";
import type { EndpointSlice, Endpoint as SliceEndpoint } from "#api/generated/discovery/v1.ts";
import { endpointsByPort } from "./endpoints.ts";
import { portTraffic } from "./port-traffic.ts";
import { proxiedPorts } from "./proxied-port.ts";

const NODE = { name: "here", zone: "a" };

const service = (spec: Partial<ServiceSpec> = {}, labels = {}, ingress: object[] = []): Service =>
  ({
    metadata: { namespace: "ns", name: "svc", labels },
    spec: { clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1", "fd00::1"], ports: [{ port: 80 }], ...spec },
    status: { loadBalancer: { ingress } },
  }) as Service;

describe("ports of a Service", () => {
  test.each([
    {
      name: "of its family",
      family: "IPv6",
      of: service(),
      want: [{ clusterIp: "fd00::1", port: 80, protocol: "tcp", nodePort: 0 }],
    },
    { name: "none of a family without address", family: "IPv6", of: service({ clusterIPs: ["10.0.0.1"] }), want: [] },
    { name: "none where it is headless", family: "IPv4", of: service({ clusterIP: "None", clusterIPs: ["None"] }), want: [] },
    { name: "none of a mere name", family: "IPv4", of: service({ type: "ExternalName" }), want: [] },
    {
      name: "none that another proxy looks after",
      family: "IPv4",
      of: service({}, { "service.kubernetes.io/service-proxy-name": "x" }),
      want: [],
    },
    {
      name: "addresses sorted by family, and written in one way",
      family: "IPv6",
      of: service({ externalIPs: ["1.2.3.4", "FD00:0::2", "fd00::2"], loadBalancerSourceRanges: [" fd01::5/64", "10.0.0.0/8"] }),
      want: [{ externalIps: ["fd00::2"], sourceRanges: ["fd01::/64"] }],
    },
    {
      name: "load balancers that translate by themselves are not its concern",
      family: "IPv4",
      of: service({ type: "LoadBalancer" }, {}, [{ ip: "1.1.1.1", ipMode: "Proxy" }, { ip: "2.2.2.2" }, { hostname: "x" }]),
      want: [{ loadBalancerIps: ["2.2.2.2"] }],
    },
    {
      name: "an outer policy means nothing without outer addresses",
      family: "IPv4",
      of: service({ externalTrafficPolicy: "Local" }),
      want: [{ externalLocal: false, healthCheckNodePort: 0 }],
    },
    {
      name: "health checks belong to load balancers with policy Local",
      family: "IPv4",
      of: service({ type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 3000 }),
      want: [{ externalLocal: true, healthCheckNodePort: 3000 }],
    },
    {
      name: "affinity without a time is three hours",
      family: "IPv4",
      of: service({ sessionAffinity: "ClientIP" }),
      want: [{ affinitySeconds: 10_800 }],
    },
  ] as const)("$name", ({ family, of, want }) => {
    expect(proxiedPorts(of, family)).toMatchObject(want);
  });
});

const slice = (endpoints: Partial<SliceEndpoint>[], more: Partial<EndpointSlice> = {}, name = "s"): EndpointSlice => ({
  metadata: { namespace: "ns", name },
  addressType: "IPv4",
  ports: [{ name: "", port: 8080, protocol: "TCP" }],
  endpoints: endpoints.map((endpoint) => ({ addresses: ["10.1.0.1"], ...endpoint })),
  ...more,
});

describe("endpoints of slices", () => {
  test.each([
    { name: "ready unless it is said", slices: [slice([{}])], want: [["10.1.0.1", true, true, false]] },
    {
      name: "serving is ready unless it is said",
      slices: [slice([{ conditions: { ready: false } }])],
      want: [["10.1.0.1", false, false, false]],
    },
    {
      name: "the same in two slices counts once, and the first says how it is",
      slices: [slice([{ conditions: { ready: false } }], {}, "b"), slice([{ conditions: { ready: true } }], {}, "a")],
      want: [["10.1.0.1", true, true, false]],
    },
    {
      name: "a local one says how it is",
      slices: [slice([{}], {}, "a"), slice([{ nodeName: "here", conditions: { ready: false } }], {}, "b")],
      want: [["10.1.0.1", false, false, true]],
    },
    { name: "none of another family", slices: [slice([{ addresses: ["fd00::1"] }], { addressType: "IPv6" })], want: [] },
    { name: "none without a port", slices: [slice([{}], { ports: [{ name: "" }] })], want: [] },
    {
      name: "in order, by the first of their addresses",
      slices: [slice([{ addresses: ["10.1.0.3", "10.1.0.9"] }, { addresses: ["10.1.0.2"] }])],
      want: [
        ["10.1.0.2", true, true, false],
        ["10.1.0.3", true, true, false],
      ],
    },
  ])("$name", ({ slices, want }) => {
    const found = endpointsByPort(slices, "IPv4", "here").get("tcp/") ?? [];
    expect(found.map(({ address, ready, serving, isLocal }) => [address, ready, serving, isLocal])).toEqual(want);
  });
});

describe("where packets go", () => {
  const ready = (node: string, told: Partial<SliceEndpoint> = {}): Partial<SliceEndpoint> => ({ nodeName: node, ...told });
  const leaving = { conditions: { ready: false, serving: true, terminating: true } };
  const dead = { conditions: { ready: false, serving: false, terminating: true } };
  const zone = (name: string): Partial<SliceEndpoint> => ({ hints: { forZones: [{ name }] } });
  const on = (name: string): Partial<SliceEndpoint> => ({ hints: { forNodes: [{ name }], forZones: [{ name: "b" }] } });
  const nodePort: Partial<ServiceSpec> = { type: "NodePort", ports: [{ port: 80, nodePort: 30000 }] };
  const LOCAL = { externalTrafficPolicy: "Local" } as const;
  const INNER = { internalTrafficPolicy: "Local" } as const;

  test.each([
    {
      name: "to all that are ready",
      spec: {},
      behind: [ready("here"), ready("there"), dead],
      want: { cluster: [0, 1], local: [] },
    },
    { name: "to those that end where none is ready", spec: {}, behind: [ready("here", leaving), dead], want: { cluster: [0] } },
    {
      name: "nowhere without endpoints",
      spec: {},
      behind: [dead],
      want: { cluster: [], hasEndpoints: false, hasInternal: false },
    },
    {
      name: "policy Local inside: to those of the node, and to nobody else",
      spec: INNER,
      behind: [ready("here"), ready("there")],
      want: { cluster: [], local: [0], hasInternal: true, hasExternal: true },
    },
    {
      name: "policy Local inside without one on the node",
      spec: INNER,
      behind: [ready("there")],
      want: { local: [], hasEndpoints: true, hasInternal: false },
    },
    {
      name: "policy Local outside: both lists, since clients inside may go anywhere",
      spec: { ...nodePort, ...LOCAL },
      behind: [ready("here"), ready("there")],
      want: { cluster: [0, 1], local: [0], hasInternal: true, hasExternal: true, localReady: 1 },
    },
    {
      name: "policy Local outside: those of the node that end, while others elsewhere are ready",
      spec: { ...nodePort, ...LOCAL },
      behind: [ready("here", leaving), ready("there")],
      want: { cluster: [1], local: [0], reachable: [1, 0], hasExternal: true, localReady: 0 },
    },
    {
      name: "policy Local outside without one on the node",
      spec: { ...nodePort, ...LOCAL },
      behind: [ready("there")],
      want: { cluster: [0], local: [], hasInternal: true, hasExternal: false },
    },
    { name: "to the zone", spec: {}, behind: [ready("x", zone("a")), ready("y", zone("b"))], want: { cluster: [0] } },
    { name: "anywhere where one has no hint", spec: {}, behind: [ready("x", zone("a")), ready("y")], want: { cluster: [0, 1] } },
    { name: "anywhere where no hint is meant for here", spec: {}, behind: [ready("x", zone("c"))], want: { cluster: [0] } },
    {
      name: "to the node before the zone",
      spec: {},
      behind: [ready("x", on("here")), ready("y", on("there"))],
      want: { cluster: [0] },
    },
    {
      name: "hints of those that are not ready mean nothing",
      spec: {},
      behind: [ready("x", zone("b")), { ...zone("a"), ...dead }],
      want: { cluster: [0] },
    },
  ])("$name", ({ spec, behind, want }) => {
    const endpoints = behind.map((endpoint, i) => ({ ...endpoint, addresses: [`10.1.0.${i}`] }));
    const [port] = proxiedPorts(service(spec), "IPv4");
    if (port === undefined) throw new Error("no port");
    const traffic = portTraffic(port, endpointsByPort([slice(endpoints)], "IPv4", NODE.name).get("tcp/") ?? [], NODE);
    const indexes = (list: readonly { readonly address: string }[]): number[] =>
      list.map(({ address }) => Number(address.slice(-1)));
    const { cluster, local, reachable, ...rest } = traffic;
    expect({ ...rest, cluster: indexes(cluster), local: indexes(local), reachable: indexes(reachable) }).toMatchObject(want);
  });
});
