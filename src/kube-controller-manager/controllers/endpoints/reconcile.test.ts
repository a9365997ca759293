import { expect, test } from "vitest";
import type { Pod, Service } from "#api/generated/core/v1.ts";
import { reconcile } from "./reconcile.ts";
import { endpointSubsets } from "./subsets.ts";

const service: Service = {
  metadata: { name: "s", namespace: "ns", labels: { a: "b", "service.kubernetes.io/headless": "" } },
  spec: {
    clusterIP: "10.0.0.1",
    selector: { app: "s" },
    ports: [{ name: "web", port: 80, targetPort: "http", protocol: "TCP" }],
  },
};
const pod = (name: string, ip: string, ready: boolean, containerPort: number): Pod => ({
  metadata: { name, namespace: "ns", uid: name },
  spec: { nodeName: "n", containers: [{ name: "c", ports: [{ name: "http", containerPort, protocol: "TCP" }] }] },
  status: { phase: "Running", podIP: ip, podIPs: [{ ip }], conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
});
const address = (name: string, ip: string) => ({
  ip,
  nodeName: "n",
  targetRef: { kind: "Pod", namespace: "ns", name, uid: name },
});

test("pods with the same ports share a subset, sorted, ready apart from not ready", () => {
  const pods = [
    pod("c", "10.1.0.3", true, 80),
    pod("a", "10.1.0.1", true, 80),
    pod("b", "10.1.0.2", false, 80),
    pod("d", "10.1.0.4", true, 81),
  ];
  expect(endpointSubsets(service, pods)).toEqual([
    {
      addresses: [address("a", "10.1.0.1"), address("c", "10.1.0.3")],
      notReadyAddresses: [address("b", "10.1.0.2")],
      ports: [{ name: "web", port: 80, protocol: "TCP" }],
    },
    { addresses: [address("d", "10.1.0.4")], ports: [{ name: "web", port: 81, protocol: "TCP" }] },
  ]);
});

test("a new object carries the service's labels and its own mark; the same again changes nothing", () => {
  const observed = { namespace: "ns", name: "s", service, subsets: [], existing: undefined, triggerTime: "2029-01-01T00:00:00Z" };
  const [action] = reconcile(observed);
  if (action?.type !== "create") throw new Error(action?.type);
  expect(action.endpoints.metadata).toEqual({
    name: "s",
    namespace: "ns",
    labels: { a: "b", "endpoints.kubernetes.io/managed-by": "endpoint-controller" },
    annotations: { "endpoints.kubernetes.io/last-change-trigger-time": "2029-01-01T00:00:00Z" },
  });
  expect(reconcile({ ...observed, existing: action.endpoints, triggerTime: undefined })).toEqual([]);
});

test("it goes with its service", () => {
  const existing = { metadata: { name: "s" } };
  expect(reconcile({ namespace: "ns", name: "s", service: undefined, subsets: [], existing, triggerTime: undefined })).toEqual([
    { type: "delete", namespace: "ns", name: "s" },
  ]);
});
