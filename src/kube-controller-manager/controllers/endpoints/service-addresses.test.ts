import { expect, test } from "vitest";
import type { Pod, Service } from "#api/generated/core/v1.ts";
import { seededRandom } from "#base/random.ts";
import { ServiceAddresses } from "./service-addresses.ts";
import { endpointSubsets } from "./subsets.ts";

const STEPS = 150;
const PODS_MAX = 40;

test.each<{ readonly name: string; readonly spec: Service["spec"]; readonly ports: readonly number[] }>([
  { name: "a port", spec: { ports: [{ port: 80, targetPort: "http" }] }, ports: [8080] },
  { name: "ports of one name", spec: { ports: [{ port: 80, targetPort: "http" }] }, ports: [8080, 8081] },
  { name: "several ports", spec: { ports: [{ port: 80 }, { name: "b", port: 81 }, { name: "a", port: 79 }] }, ports: [1] },
  { name: "no ports", spec: { clusterIP: "None", publishNotReadyAddresses: true, ports: [] }, ports: [1] },
])("subsets that are kept are those that are made anew: $name", ({ spec, ports }) => {
  const random = seededRandom(1);
  const service: Service = { metadata: { name: "s", namespace: "ns" }, spec: { clusterIP: "10.0.0.1", ...spec } };
  const pods = new Map<string, Pod>();
  const kept = new ServiceAddresses(service, []);
  let mixed = 0;
  for (let i = 0; i < STEPS; i++) {
    const name = `p${random.int(PODS_MAX)}`;
    const before = kept.subsets();
    const copy = JSON.stringify(before);
    if (random.int(4) === 0) pods.delete(name);
    else {
      // Pods of the host's network share its address.
      const ip = `10.1.0.${random.int(20)}`;
      const containerPort = ports[random.int(ports.length)] ?? 0;
      pods.set(name, {
        metadata: { name, namespace: "ns", uid: `${name}-${random.int(2)}` },
        spec: { nodeName: "n", containers: [{ name: "c", ports: [{ name: "http", containerPort }] }] },
        status: {
          phase: random.int(10) === 0 ? "Failed" : "Running",
          podIPs: random.int(10) === 0 ? [] : [{ ip }],
          conditions: [{ type: "Ready", status: random.int(2) === 0 ? "True" : "False" }],
        },
      });
    }
    kept.setPod(name, pods.get(name));
    const wanted = endpointSubsets(service, [...pods.values()]);
    expect(kept.subsets()).toEqual(wanted);
    expect(new ServiceAddresses(service, [...pods.values()]).subsets()).toEqual(wanted);
    expect(kept.pods).toBe(pods.size);
    expect(JSON.stringify(before)).toBe(copy);
    if (wanted.length > 1) mixed++;
  }
  expect(mixed > 0).toBe(ports.length > 1);
});
