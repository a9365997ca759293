import { expect, test } from "vitest";
import type { Container, Pod } from "#api/generated/core/v1.ts";
import { ManualClock } from "#base/manual-clock.ts";
import type { ActionResult, ActionTarget, Handlers } from "../handlers/handlers.ts";
import { ProbeMetrics } from "./probe-metrics.ts";

const container: Container = {
  name: "app",
  startupProbe: { exec: { command: ["true"] } },
  livenessProbe: { exec: { command: ["true"] } },
  readinessProbe: { exec: { command: ["true"] } },
  lifecycle: { preStop: { exec: { command: ["true"] } } },
};
const pod = { metadata: { name: "web", namespace: "default", uid: "u1" } } as unknown as Pod;
const target: ActionTarget = { pod, container, containerId: "c", sandboxId: "s", ip: "" };

const cases: readonly (readonly [string, object | undefined, ActionResult, string, number])[] = [
  ["Startup", container.startupProbe, { succeeded: true, message: "" }, "successful", 1],
  ["Liveness", container.livenessProbe, { succeeded: false, message: "" }, "failed", 0],
  ["Readiness", container.readinessProbe, { succeeded: false, message: "", isUnknown: true }, "unknown", 1],
];
test.each(cases)("a %s probe is counted until its pod is gone", async (kind, probe, result, label, durations) => {
  const clock = new ManualClock();
  const metrics = new ProbeMetrics();
  const handlers: Handlers = { canFail: () => true, run: async () => result };
  expect(await metrics.metered(handlers, clock).run(probe ?? {}, target, 1)).toBe(result);
  const labels = `probe_type="${kind}",container="app",pod="web",namespace="default"`;
  const text = await metrics.text();
  expect(text).toContain(`prober_probe_total{${labels},pod_uid="u1",result="${label}"} 1`);
  expect(text.includes(`prober_probe_duration_seconds_count{${labels}} 1`)).toBe(durations === 1);
  metrics.forget("u1");
  expect(await metrics.text()).not.toContain("web");
});

test("a hook is no probe", async () => {
  const metrics = new ProbeMetrics();
  const handlers: Handlers = { canFail: () => true, run: async () => ({ succeeded: true, message: "" }) };
  await metrics.metered(handlers, new ManualClock()).run(container.lifecycle?.preStop ?? {}, target, 0);
  expect(await metrics.text()).not.toContain("web");
});
