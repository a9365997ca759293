import { expect, test } from "vitest";
import { NODES_MAX, nodeIdentity } from "./node-object.ts";

test.each([
  [0, "172.18.0.2", "10.244.0.0/24"],
  [257, "172.19.1.2", "10.245.1.0/24"],
  [3071, "172.29.255.2", "10.255.255.0/24"],
  [3072, "100.64.0.2", "10.128.0.0/24"],
  [NODES_MAX - 1, "100.91.255.2", "10.155.255.0/24"],
])("node %i has %s, and its pods %s", (index, hostIp, podCidr) => {
  expect(nodeIdentity(index, "n")).toMatchObject({ hostIp, podCidr });
});

test("no two nodes share an address, and as many as can be asked for have one", () => {
  const all = Array.from({ length: NODES_MAX }, (_, index) => nodeIdentity(index, "n"));
  expect(new Set(all.map(({ hostIp }) => hostIp)).size).toBe(NODES_MAX);
  expect(new Set(all.map(({ podCidr }) => podCidr)).size).toBe(NODES_MAX);
  expect(NODES_MAX).toBeGreaterThanOrEqual(10_000);
});
