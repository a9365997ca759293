import { expect, test } from "vitest";
import type { Endpoint } from "../traffic/endpoints.ts";
import type { ProxiedPort } from "../traffic/proxied-port.ts";
import { chainNames, endpointChain, isServiceChain } from "./names.ts";

const port = (namespace: string, service: string): ProxiedPort =>
  ({ namespace, service, name: "p80", protocol: "tcp" }) as ProxiedPort;

// Upstream's own expectations of its chains.
test.each([
  ["ns1", "svc1", "10.180.0.1", "XPGD46QRK7WJZT7O", "SXIVWICOYRO3J4NJ"],
  ["ns2", "svc2", "10.180.0.2", "GNZBNJ2PO5MGZ6GT", "RS4RBKLTHTF2IUXJ"],
])("chains of %s/%s have upstream's names", (namespace, service, address, hash, endpoint) => {
  const names = chainNames(port(namespace, service));
  expect(names).toEqual({
    cluster: `KUBE-SVC-${hash}`,
    local: `KUBE-SVL-${hash}`,
    external: `KUBE-EXT-${hash}`,
    firewall: `KUBE-FW-${hash}`,
  });
  expect(endpointChain(port(namespace, service), { address, port: 80 } as Endpoint)).toBe(`KUBE-SEP-${endpoint}`);
});

test.each([
  ["KUBE-SVC-A", true],
  ["KUBE-SEP-A", true],
  ["KUBE-SERVICES", false],
  ["KUBE-NWPLCY-A", false],
  ["KUBE-POD-FW-A", false],
])("%s is a Service's chain: %s", (name, want) => {
  expect(isServiceChain(name)).toBe(want);
});
