import { expect, test } from "vitest";
import type { ContainerPort } from "#api/generated/core/v1.ts";
import { hintOf, testNode, testNodeInfo, testPod, verdictOf } from "../../framework/test-objects.ts";
import { nodePorts } from "./node-ports.ts";

const withPort = (name: string, port: Partial<ContainerPort>) =>
  testPod(name, { containers: [{ name: "c", image: "i", ports: [{ containerPort: 80, ...port }] }] });
const TAKEN = ["Unschedulable", "node(s) didn't have free ports for the requested pod ports"];

test.each([
  { name: "no host port", used: { hostPort: 8080 }, wanted: {}, want: ["Skip"] },
  { name: "the same", used: { hostPort: 8080 }, wanted: { hostPort: 8080 }, want: TAKEN },
  { name: "another port", used: { hostPort: 8080 }, wanted: { hostPort: 8081 }, want: ["Success"] },
  { name: "another protocol", used: { hostPort: 8080 }, wanted: { hostPort: 8080, protocol: "UDP" }, want: ["Success"] },
  { name: "any address against one", used: { hostPort: 8080, hostIP: "127.0.0.1" }, wanted: { hostPort: 8080 }, want: TAKEN },
  { name: "one address against any", used: { hostPort: 8080 }, wanted: { hostPort: 8080, hostIP: "127.0.0.1" }, want: TAKEN },
  {
    name: "different addresses",
    used: { hostPort: 8080, hostIP: "127.0.0.2" },
    wanted: { hostPort: 8080, hostIP: "127.0.0.1" },
    want: ["Success"],
  },
  {
    name: "any address against one of IPv6",
    used: { hostPort: 8080, hostIP: "fd00::1" },
    wanted: { hostPort: 8080 },
    want: TAKEN,
  },
  {
    name: "an address of each family",
    used: { hostPort: 8080, hostIP: "fd00::1" },
    wanted: { hostPort: 8080, hostIP: "10.0.0.1" },
    want: ["Success"],
  },
  {
    name: "the same address of IPv6",
    used: { hostPort: 8080, hostIP: "fd00::1" },
    wanted: { hostPort: 8080, hostIP: "fd00::1" },
    want: TAKEN,
  },
])("$name", ({ used, wanted, want }) => {
  const node = testNodeInfo(testNode("a"), [withPort("other", used)]);
  expect(verdictOf(nodePorts(), withPort("p", wanted), node)).toEqual(want);
});

test("the port is free again when its pod is gone", () => {
  const node = testNodeInfo(testNode("a"), [withPort("other", { hostPort: 8080 })]);
  node.removePod("other");
  expect(verdictOf(nodePorts(), withPort("p", { hostPort: 8080 }), node)).toEqual(["Success"]);
});

test.each([
  ["its port", { hostPort: 8080 }, "Queue"],
  ["another port", { hostPort: 8081 }, "Skip"],
  ["its port at another address", { hostPort: 8080, hostIP: "127.0.0.2" }, "Skip"],
  ["its port for another protocol", { hostPort: 8080, protocol: "UDP" }, "Skip"],
  ["no port of its node", {}, "Skip"],
])("worth another attempt: a pod goes that had %s", (_name, port, want) => {
  const waiting = withPort("p", { hostPort: 8080, hostIP: "127.0.0.1" });
  expect(hintOf(nodePorts(), waiting, { resource: "AssignedPod", action: "delete", pod: withPort("q", port) })).toBe(want);
});
