import { expect, test } from "vitest";
import type { Service, ServiceSpec } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { setServiceDefaults } from "./defaults.ts";
import { dropTypeDependentFields, dropUnusedInternalPolicy, normalizeClusterIps, patchAllocatedValues } from "./update-fields.ts";

const service = (spec: ServiceSpec): Service => ({ metadata: { name: "web" }, spec });
const http = { name: "http", port: 80 };
const nodePort = service({
  type: "NodePort",
  clusterIP: "10.0.0.1",
  clusterIPs: ["10.0.0.1"],
  externalTrafficPolicy: "Cluster",
  ports: [{ ...http, nodePort: 30080 }],
});

function changed(spec: ServiceSpec, old: Service, ...steps: ((draft: Draft<Service>, old: Service) => void)[]): object {
  const draft = deepCopy(service(spec));
  for (const step of steps) step(draft, old);
  return draft.spec;
}

test.each<{ name: string; spec: ServiceSpec; want: object }>([
  {
    name: "what was allocated comes back with the manifest that has none of it",
    spec: { type: "NodePort", ports: [http] },
    want: { type: "NodePort", clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1"], ports: [{ ...http, nodePort: 30080 }] },
  },
  {
    name: "a node port that another port of the Service took over does not",
    spec: {
      type: "NodePort",
      clusterIP: "10.0.0.1",
      clusterIPs: ["10.0.0.1"],
      ports: [http, { name: "b", port: 81, nodePort: 30080 }],
    },
    want: {
      type: "NodePort",
      clusterIP: "10.0.0.1",
      clusterIPs: ["10.0.0.1"],
      ports: [http, { name: "b", port: 81, nodePort: 30080 }],
    },
  },
  {
    name: "all of the old list does, even for another address",
    spec: { type: "NodePort", clusterIP: "10.0.0.2", ports: [] },
    want: { type: "NodePort", clusterIP: "10.0.0.2", clusterIPs: ["10.0.0.1"], ports: [] },
  },
  {
    name: "a load balancer that is to have no more node ports keeps those it has",
    spec: { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, clusterIP: "10.0.0.1", ports: [http] },
    want: {
      type: "LoadBalancer",
      allocateLoadBalancerNodePorts: false,
      clusterIP: "10.0.0.1",
      clusterIPs: ["10.0.0.1"],
      ports: [{ ...http, nodePort: 30080 }],
    },
  },
  {
    name: "an external name has neither",
    spec: { type: "ExternalName", ports: [http] },
    want: { type: "ExternalName", ports: [http] },
  },
])("$name", ({ spec, want }) => {
  expect(changed(spec, nodePort, patchAllocatedValues)).toEqual(want);
});

test.each<{ name: string; spec: ServiceSpec; old?: Service; want: readonly string[] | undefined }>([
  { name: "the list follows the single address of a new Service", spec: { clusterIP: "10.0.0.2" }, want: ["10.0.0.2"] },
  { name: "or of an old client's update", spec: { clusterIP: "None", clusterIPs: ["10.0.0.1"] }, old: nodePort, want: ["None"] },
  { name: "goes with it", spec: { clusterIP: "", clusterIPs: ["10.0.0.1"] }, old: nodePort, want: undefined },
  { name: "and is kept where the client does not know it", spec: { clusterIP: "10.0.0.1" }, old: nodePort, want: ["10.0.0.1"] },
  {
    name: "a client that changed both knows what it does",
    spec: { clusterIP: "10.0.0.2", clusterIPs: ["10.0.0.3"] },
    old: nodePort,
    want: ["10.0.0.3"],
  },
])("clusterIPs: $name", ({ spec, old, want }) => {
  const draft = deepCopy(service(spec));
  normalizeClusterIps(draft, old);
  expect(draft.spec?.clusterIPs).toEqual(want);
});

test.each<{ name: string; type: string; change?: Partial<ServiceSpec>; want: object }>([
  {
    name: "node ports go with the type",
    type: "ClusterIP",
    want: { type: "ClusterIP", clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1"], ports: [http] },
  },
  {
    name: "also when some are gone already",
    type: "ClusterIP",
    change: { ports: [http] },
    want: { type: "ClusterIP", clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1"], ports: [http] },
  },
  {
    name: "another address stays, to be refused",
    type: "ExternalName",
    change: { clusterIP: "" },
    want: { type: "ExternalName", clusterIP: "", clusterIPs: ["10.0.0.1"], ports: [http] },
  },
  { name: "addresses too", type: "ExternalName", want: { type: "ExternalName", ports: [http] } },
  {
    name: "what the client changed stays, to be refused",
    type: "ClusterIP",
    change: { ports: [{ ...http, nodePort: 30081 }], externalTrafficPolicy: "Local" },
    want: {
      type: "ClusterIP",
      clusterIP: "10.0.0.1",
      clusterIPs: ["10.0.0.1"],
      externalTrafficPolicy: "Local",
      ports: [{ ...http, nodePort: 30081 }],
    },
  },
])("another type: $name", ({ type, change = {}, want }) => {
  expect(changed({ ...nodePort.spec, ...change, type }, nodePort, dropTypeDependentFields)).toEqual(want);
});

test("addresses of a load balancer go with the type", () => {
  const status = { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } };
  const [inner, outer] = ["ClusterIP", "LoadBalancer"].map((type) => deepCopy({ ...service({ type }), status }));
  for (const draft of [inner, outer]) if (draft) dropTypeDependentFields(draft, service({ type: "LoadBalancer" }));
  expect([inner?.status, outer?.status]).toEqual([{ loadBalancer: {} }, status]);
});

test.each([
  ["ExternalName", "Local", undefined],
  ["ExternalName", "Nearby", "Nearby"],
  ["ClusterIP", "Local", "Local"],
])("%s with the inner policy %s", (type, internalTrafficPolicy, want) => {
  const draft = deepCopy(service({ type, internalTrafficPolicy }));
  dropUnusedInternalPolicy(draft);
  expect(draft.spec?.internalTrafficPolicy).toBe(want);
});

test.each<{ name: string; spec: ServiceSpec; want: object }>([
  {
    name: "an inner one",
    spec: { ports: [{ port: 80 }] },
    want: {
      sessionAffinity: "None",
      type: "ClusterIP",
      internalTrafficPolicy: "Cluster",
      ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
    },
  },
  {
    name: "a load balancer with affinity",
    spec: { type: "LoadBalancer", sessionAffinity: "ClientIP" },
    want: {
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
      type: "LoadBalancer",
      allocateLoadBalancerNodePorts: true,
      externalTrafficPolicy: "Cluster",
      internalTrafficPolicy: "Cluster",
    },
  },
  {
    name: "a name alone",
    spec: { type: "ExternalName", externalName: "example.com" },
    want: { sessionAffinity: "None", type: "ExternalName", externalName: "example.com" },
  },
])("defaults of $name", ({ spec, want }) => {
  const draft = deepCopy(service(spec));
  setServiceDefaults(draft);
  expect(draft.spec).toEqual(want);
});
