import { expect, test } from "vitest";
import type { Pod, PodCondition, PodStatus } from "#api/generated/core/v1.ts";
import type { ContainerStatus } from "#cri/container.ts";
import { PodStatusTeller, type ToldSituation } from "./pod-status-teller.ts";

const condition = (type: string, status: string, reason?: string): PodCondition =>
  ({ type, status, ...(reason === undefined ? {} : { reason }) }) as PodCondition;
const podWith = (...conditions: readonly PodCondition[]): Pod =>
  ({ metadata: { uid: "u" }, spec: { containers: [{ name: "app" }] }, status: { conditions } }) as unknown as Pod;

const running = {
  id: "c",
  metadata: { name: "app", attempt: 0 },
  state: "CONTAINER_RUNNING",
  startedAtMs: 0,
} as unknown as ContainerStatus;

test.each([
  ["as it was told", [condition("Ready", "True"), condition("ContainersReady", "True")], 1],
  ["as it was before", [condition("Ready", "False", "ContainersNotReady"), condition("ContainersReady", "False")], 1],
  ["waiting for somebody", [condition("Ready", "False", "ReadinessGatesNotReady"), condition("ContainersReady", "True")], 1],
  ["not ready, by somebody else", [condition("Ready", "False"), condition("ContainersReady", "True")], 2],
])("a pod that is ready and is seen %s is told so %s", (_name, shown, times) => {
  const told: PodStatus[] = [];
  const teller = new PodStatusTeller({ write: (_pod, status) => void told.push(status) });
  const situation: ToldSituation = {
    pod: podWith(),
    observed: { sandbox: undefined, containers: [running] },
    nowMs: 0,
    elapsedMs: 0,
    backOffMs: () => 0,
    ending: false,
    problems: new Map(),
    hostIps: [],
    runtimeName: "",
    startTimeMs: 0,
    failure: undefined,
  };
  teller.tell(situation, false);
  teller.seen(podWith(...shown));
  teller.tell(situation, false);
  expect(told).toHaveLength(times);
  expect(told[0]?.conditions?.find(({ type }) => type === "Ready")?.status).toBe("True");
});
