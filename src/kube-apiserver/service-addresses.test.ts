import { expect, test } from "vitest";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import { seededRandom } from "#base/random.ts";
import { serviceAddresses } from "./service-addresses.ts";

const resolverOf = (service: object | undefined, slices: readonly object[] = []) => {
  const stores = { of: () => ({ cached: () => service, listCached: () => slices }) } as unknown as Stores;
  return serviceAddresses(stores, seededRandom(1));
};
const CLUSTER_IP = { spec: { type: "ClusterIP", clusterIP: "10.0.0.7", ports: [{ name: "https", port: 443 }] } };
const slice = (more: object = {}): object => ({
  metadata: { labels: { "kubernetes.io/service-name": "s" } },
  endpoints: [{ addresses: ["10.1.0.1"] }],
  ports: [{ name: "https", port: 8443 }],
  ...more,
});

test.each([
  { name: "a ready endpoint", service: CLUSTER_IP, slices: [slice()], want: { host: "10.1.0.1", port: 8443 } },
  { name: "the cluster IP without endpoints", service: CLUSTER_IP, slices: [], want: { host: "10.0.0.7", port: 443 } },
  {
    name: "the cluster IP when nobody is ready",
    service: CLUSTER_IP,
    slices: [slice({ endpoints: [{ addresses: ["10.1.0.1"], conditions: { ready: false } }] })],
    want: { host: "10.0.0.7", port: 443 },
  },
  {
    name: "the cluster IP when the slices are another service's",
    service: CLUSTER_IP,
    slices: [slice({ metadata: { labels: { "kubernetes.io/service-name": "t" } } })],
    want: { host: "10.0.0.7", port: 443 },
  },
  {
    name: "a name elsewhere",
    service: { spec: { type: "ExternalName", externalName: "api.example.com" } },
    slices: [],
    want: { host: "api.example.com", port: 443 },
  },
])("leads to $name", ({ service, slices, want }) => {
  expect(resolverOf(service, slices).resolve("n", "s", 443)).toEqual(want);
});

test.each([
  { name: "no service", service: undefined, says: 'service "s" not found' },
  {
    name: "another port",
    service: { spec: { clusterIP: "10.0.0.7", ports: [{ port: 80 }] } },
    says: 'no service port 443 found for service "s"',
  },
  {
    name: "a headless one",
    service: { spec: { clusterIP: "None", ports: [] } },
    says: 'cannot route to service with ClusterIP "None"',
  },
])("leads nowhere: $name", ({ service, says }) => {
  expect(() => resolverOf(service).resolve("n", "s", 443)).toThrow(says);
});
