import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import type { RuntimeStatus } from "#cri/runtime-status.ts";
import { RuntimeHealth } from "./runtime-health.ts";

const MINUTE = 60_000;
const condition = (type: string, status: boolean): RuntimeStatus["conditions"][number] => ({
  type,
  status,
  reason: "Some",
  message: "words",
});

test("a kubelet is well without a network for pods, and not when the runtime has let none run for two minutes", async () => {
  const clock = new ManualClock();
  let ready = true;
  const status = async (): Promise<RuntimeStatus> => ({
    conditions: [condition("RuntimeReady", ready), condition("NetworkReady", false)],
    handlers: [],
    supplementalGroupsPolicy: false,
    userNamespacesHostNetwork: false,
    info: {},
  });
  const health = new RuntimeHealth({ runtime: { status }, clock, pleg: { problem: () => undefined } });
  await health.start();
  expect(health.runtimeProblems()).toEqual(["container runtime network not ready: NetworkReady=false reason:Some message:words"]);
  await clock.advance(3 * MINUTE);
  expect(health.isSyncing()).toBe(true);
  ready = false;
  await clock.advance(MINUTE);
  expect(health.isSyncing()).toBe(true);
  expect(health.runtimeProblems()[0]).toContain("container runtime not ready: RuntimeReady=false");
  await clock.advance(1.5 * MINUTE);
  expect(health.isSyncing()).toBe(false);
  ready = true;
  await clock.advance(MINUTE);
  expect(health.isSyncing()).toBe(true);
  health.stop();
});
