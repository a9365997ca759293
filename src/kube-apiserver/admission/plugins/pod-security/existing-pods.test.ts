import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import { existingPodWarnings } from "./existing-pods.ts";

const BASELINE = { level: "baseline", version: "latest" } as const;
const still = { elapsed: () => 0 } as Clock;

function pod(name: string, spec: object, owner?: string): Pod {
  const ownerReferences = owner === undefined ? [] : [{ uid: owner, controller: true }];
  return { metadata: { name, ownerReferences }, spec: { containers: [{ name: "c" }], ...spec } } as unknown as Pod;
}

test("pods that break the same controls are told together, under the first one's name", () => {
  const pods = [
    pod("c", { hostPID: true }),
    pod("b", { hostPID: true }),
    pod("a", { hostPID: true }),
    pod("z", { hostPID: true, volumes: [{ name: "v", hostPath: {} }] }),
    pod("fine", {}),
    pod("exempt", { hostIPC: true, runtimeClassName: "x" }),
  ];
  const isExempt = ({ spec }: Pod): boolean => spec.runtimeClassName === "x";
  expect(existingPodWarnings("ns", pods, BASELINE, isExempt, still)).toEqual([
    'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
    "a (and 2 other pods): host namespaces",
    "z: host namespaces, hostPath volumes",
  ]);
});

test("when time is short one pod of each controller is looked at first", () => {
  let reads = 0;
  // Over after the second pod.
  const short = { elapsed: () => (reads++ >= 2 ? 10_000 : 0) } as Clock;
  const pods = [pod("a1", {}, "a"), pod("a2", { hostPID: true }, "a"), pod("b1", { hostPID: true }, "b")];
  expect(existingPodWarnings("ns", pods, BASELINE, () => false, short)).toEqual([
    "new PodSecurity enforce level only checked against the first 2 of 3 existing pods",
    'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
    "b1: host namespaces",
  ]);
});
