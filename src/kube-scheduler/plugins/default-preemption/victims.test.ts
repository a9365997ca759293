import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { podInfo } from "../../framework/pod-info.ts";
import { SUCCESS, unschedulable } from "../../framework/status.ts";
import { requesting, testNode, testNodeInfo, testPod } from "../../framework/test-objects.ts";
import { pickCandidate, selectVictims } from "./victims.ts";

const running = (name: string, priority: number, cpu: string, labels: Record<string, string> = {}) =>
  testPod(name, { priority, nodeName: "a", containers: [requesting({ cpu })] }, { labels });
const incoming = (cpu: string) => podInfo(testPod("p", { priority: 100, containers: [requesting({ cpu })] }));
const budget = {
  metadata: { namespace: "ns", name: "b" },
  spec: { selector: { matchLabels: { app: "kept" } } },
  status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
};

const budgetsOf = ({ metadata }: Pod) => (metadata.labels?.app === "kept" ? [budget] : []);

test.each([
  { name: "the only one", pods: [running("low", 10, "3")], cpu: "3", want: ["low"] },
  { name: "the less important of two", pods: [running("low", 10, "3"), running("mid", 20, "1")], cpu: "1", want: ["low"] },
  {
    name: "the first to come of two equals that have not started",
    pods: [running("a", 10, "3"), running("b", 10, "1")],
    cpu: "1",
    want: ["a"],
  },
  {
    name: "the one without a budget",
    pods: [running("kept", 10, "2", { app: "kept" }), running("free", 20, "2")],
    cpu: "2",
    want: ["free"],
  },
  { name: "several when it must", pods: [running("x", 1, "2"), running("y", 2, "2")], cpu: "4", want: ["y", "x"] },
  {
    name: "none of higher priority",
    pods: [running("high", 200, "3")],
    cpu: "3",
    want: "No preemption victims found for incoming pod",
  },
  { name: "none when it would not help", pods: [running("low", 10, "3")], cpu: "5", want: "Insufficient cpu" },
])("takes $name, and leaves the node's record as it was", ({ pods, cpu, want }) => {
  const node = testNodeInfo(testNode("a"), pods);
  const pod = incoming(cpu);
  const fits = () => (pod.requests.milliCpu <= 4000 - node.requested.milliCpu ? SUCCESS : unschedulable("Insufficient cpu"));
  const before = node.requested.milliCpu;
  const outcome = selectVictims(pod, node, budgetsOf, fits);
  expect("node" in outcome ? outcome.victims.map(({ uid }) => uid) : outcome.reasons[0]).toEqual(want);
  expect(node.requested.milliCpu).toBe(before);
  expect(node.pods.size).toBe(pods.length);
});

test("prefers the node where least is lost", () => {
  const candidate = (name: string, violations: number, ...priorities: number[]) => ({
    node: testNodeInfo(testNode(name)),
    violations,
    victims: priorities.map((priority, i) => podInfo(running(`${name}${i}`, priority, "1"))),
  });
  const pick = (...candidates: ReturnType<typeof candidate>[]) => pickCandidate(candidates)?.node.name;
  expect(pick(candidate("budget", 1, 1), candidate("costly", 0, 50))).toBe("costly");
  expect(pick(candidate("high", 0, 50), candidate("low", 0, 10, 10))).toBe("low");
  expect(pick(candidate("two", 0, 10, 10), candidate("one", 0, 10))).toBe("one");
});
