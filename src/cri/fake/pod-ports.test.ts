import { expect, test } from "vitest";
import type { PodSandboxConfig, PodSandboxStatus, PortMapping } from "../pod-sandbox.ts";
import { type Reachable, sandboxByHostPort } from "./pod-ports.ts";

const sandbox = (id: string, mapping: Partial<PortMapping>): Reachable => ({
  status: { id, state: "SANDBOX_READY" } as PodSandboxStatus,
  config: { portMappings: [{ protocol: "TCP", containerPort: 8080, hostPort: 80, ...mapping }] } as unknown as PodSandboxConfig,
});
const all = [
  sandbox("datagrams", { protocol: "UDP" }),
  sandbox("first", { hostIp: "10.0.0.1" }),
  sandbox("second", { hostIp: "10.0.0.2" }),
  sandbox("sixth", { hostIp: "fd00::1" }),
  sandbox("everywhere", { hostIp: "::", hostPort: 81 }),
];

test.each([
  ["10.0.0.1", 80, "first"],
  ["10.0.0.2", 80, "second"],
  ["fd00::1", 80, "sixth"],
  ["10.0.0.3", 80, undefined],
  ["10.0.0.3", 81, "everywhere"],
])("a connection to %s port %i goes to %s", (ip, port, id) => {
  expect(sandboxByHostPort(all, ip, port)).toEqual(id === undefined ? undefined : { sandboxId: id, containerPort: 8080 });
});
