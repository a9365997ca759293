import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { type HostPort, hostPortsOf, portsConflict } from "./host-ports.ts";

test("ports of containers and sidecars count, with their defaults", () => {
  const pod: Pod = {
    metadata: { name: "p" },
    spec: {
      initContainers: [
        { name: "step", ports: [{ containerPort: 1, hostPort: 1 }] },
        { name: "sidecar", restartPolicy: "Always", ports: [{ containerPort: 2, hostPort: 2, protocol: "UDP" }] },
      ],
      containers: [{ name: "c", ports: [{ containerPort: 3 }, { containerPort: 4, hostPort: 4, hostIP: "127.0.0.1" }] }],
    },
  };
  expect(hostPortsOf(pod)).toEqual([
    { ip: "0.0.0.0", protocol: "UDP", port: 2 },
    { ip: "127.0.0.1", protocol: "TCP", port: 4 },
  ]);
});

test.each<[string, Partial<HostPort>, boolean]>([
  ["the same", {}, true],
  ["any address", { ip: "0.0.0.0" }, true],
  ["another address", { ip: "10.0.0.2" }, false],
  ["another protocol", { protocol: "UDP" }, false],
  ["another port", { port: 81 }, false],
])("a conflict: %s", (_, other, want) => {
  const one: HostPort = { ip: "10.0.0.1", protocol: "TCP", port: 80 };
  expect(portsConflict(one, { ...one, ...other })).toBe(want);
  expect(portsConflict({ ...one, ...other }, one)).toBe(want);
});
