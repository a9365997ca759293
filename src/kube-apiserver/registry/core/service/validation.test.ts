import { expect, test } from "vitest";
import type { Service, ServiceSpec } from "#api/generated/core/v1.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { validateService, validateServiceUpdate } from "./validation.ts";
import { serviceWarnings } from "./warnings.ts";

const fields = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, type }) => `${field} ${type.replace("FieldValue", "")}`);
const balanced = { type: "LoadBalancer", externalTrafficPolicy: "Cluster", allocateLoadBalancerNodePorts: true };
const port = { port: 80, protocol: "TCP", targetPort: 80 };
const service = (change: Partial<ServiceSpec>, annotations?: Record<string, string>): Service => ({
  metadata: { name: "web", ...(annotations && { annotations }) },
  spec: {
    type: "ClusterIP",
    sessionAffinity: "None",
    internalTrafficPolicy: "Cluster",
    clusterIP: "10.0.0.1",
    clusterIPs: ["10.0.0.1"],
    ipFamilies: ["IPv4"],
    ipFamilyPolicy: "SingleStack",
    ports: [port],
    ...change,
  },
});

test.each<[string, Partial<ServiceSpec>, string[]]>([
  ["a good one", {}, []],
  ["no ports", { ports: [] }, ["spec.ports Required"]],
  ["no ports of a headless one", { ports: [], clusterIP: "None", clusterIPs: ["None"] }, []],
  [
    "two ports without names",
    { ports: [port, { ...port, port: 81 }] },
    ["spec.ports[0].name Required", "spec.ports[1].name Required"],
  ],
  [
    "a port twice",
    {
      ports: [
        { ...port, name: "a" },
        { ...port, name: "b" },
      ],
    },
    ["spec.ports[1] Duplicate"],
  ],
  ["a number out of range", { ports: [{ ...port, port: 65536, targetPort: 1 }] }, ["spec.ports[0].port Invalid"]],
  ["an unknown protocol", { ports: [{ ...port, protocol: "QUIC" }] }, ["spec.ports[0].protocol NotSupported"]],
  ["a node port of an inner Service", { ports: [{ ...port, nodePort: 30000 }] }, ["spec.ports[0].nodePort Forbidden"]],
  ["an unknown type", { type: "Tunnel" }, ["spec.type NotSupported"]],
  ["an unknown affinity", { sessionAffinity: "Server" }, ["spec.sessionAffinity NotSupported"]],
  ["an address that is none", { clusterIP: "x", clusterIPs: ["x"] }, ["spec.clusterIPs[0] Invalid"]],
  ["addresses that differ", { clusterIP: "10.0.0.2" }, ["spec.clusterIPs Invalid"]],
  [
    "an external address that stays on the machine",
    { externalIPs: ["127.0.0.1"], externalTrafficPolicy: "Cluster" },
    ["spec.externalIPs[0] Invalid"],
  ],
  [
    "source ranges of an inner Service",
    { loadBalancerSourceRanges: ["10.0.0.0/8"] },
    ["spec.LoadBalancerSourceRanges Forbidden"],
  ],
])("a service with %s", (_, change, want) => {
  expect(fields(validateService(service(change)))).toEqual(want);
});

test.each<[string, Service, Service, string[]]>([
  ["the address", service({ clusterIP: "10.0.0.2", clusterIPs: ["10.0.0.2"] }), service({}), ["spec.clusterIPs[0] Invalid"]],
  [
    "the class of a load balancer",
    service({ ...balanced, loadBalancerClass: "a/b" }),
    service({ ...balanced, loadBalancerClass: "a/c" }),
    ["spec.loadBalancerClass Invalid"],
  ],
])("%s may not change", (_, now, old, want) => {
  expect(fields(validateServiceUpdate(now, old))).toEqual(want);
});

test.each<[string, Service, string[]]>([
  ["nothing", service({}), []],
  [
    "what is ignored without an address",
    service({ clusterIP: "None", clusterIPs: ["None"], sessionAffinity: "ClientIP" }),
    ["spec.SessionAffinity is ignored for headless services"],
  ],
  [
    "an old annotation",
    service({}, { "service.kubernetes.io/topology-aware-hints": "auto" }),
    [
      "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead",
    ],
  ],
  [
    "a name that is ignored",
    service({ externalName: "x" }),
    ['spec.externalName is ignored when spec.type is not "ExternalName"'],
  ],
  [
    "addresses of its own",
    service({
      externalIPs: ["2001:DB8::1"],
      clusterIP: "2001:DB8::2",
      clusterIPs: ["2001:DB8::2"],
      loadBalancerIP: "::ffff:1.2.3.4",
    }),
    [
      'spec.clusterIPs[0]: IPv6 address "2001:DB8::2" should be in RFC 5952 canonical format ("2001:db8::2")',
      'spec.externalIPs[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
      "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
      'spec.loadBalancerIP: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"',
    ],
  ],
  [
    "addresses that are ignored without one of the cluster",
    service({ externalIPs: ["1.2.3.4"], clusterIP: "None", clusterIPs: ["None"] }),
    ["spec.externalIPs is ignored for headless services"],
  ],
  [
    "addresses that are ignored beside a name",
    service({ type: "ExternalName", externalName: "x", externalIPs: ["1.2.3.4"], clusterIP: "", clusterIPs: [] }),
    ['spec.externalIPs is ignored when spec.type is "ExternalName"'],
  ],
])("a warning of %s", (_, object, want) => {
  expect(serviceWarnings(object)).toEqual(want);
});
