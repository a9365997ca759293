import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { KubeletMetrics } from "./kubelet-metrics.ts";
import { meteredCgroups } from "./metered-cgroups.ts";
import { PodStarts } from "./pod-starts.ts";
import { SyncCounter } from "./sync-counter.ts";

function lab() {
  const clock = new ManualClock();
  const told: unknown[] = [];
  const starts = new PodStarts(clock, {
    ran: (seconds) => told.push(["ran", seconds]),
    started: (total, own) => told.push(["started", total, own]),
  });
  const createdMs = clock.now();
  const pod = (status: object = {}): Pod =>
    ({
      metadata: { name: "web", uid: "u", creationTimestamp: formatTime(createdMs) },
      spec: { containers: [{ name: "app" }] },
      status,
    }) as Pod;
  const running = (initSeconds: number): Pod => {
    const at = (seconds: number): string => formatTime(createdMs + seconds * 1000);
    const init = { name: "init", state: { terminated: { exitCode: 0, startedAt: at(1), finishedAt: at(1 + initSeconds) } } };
    const app = { name: "app", state: { running: { startedAt: at(9) } } };
    return pod({ startTime: at(0), phase: "Running", initContainerStatuses: [init], containerStatuses: [app] });
  };
  return { clock, told, starts, pod, running };
}

test("pulls of images and init containers are not a start's own time", () => {
  const { clock, told, starts, pod, running } = lab();
  clock.advance(1000);
  starts.seen(pod());
  clock.advance(4000);
  starts.pulled("u", 3);
  clock.advance(4000);
  starts.told(pod(), { phase: "Pending" });
  starts.told(pod(), { phase: "Running" });
  starts.told(pod(), { phase: "Running" });
  clock.advance(1000);
  starts.seen(running(2));
  starts.seen(running(2));
  expect(told).toEqual([
    ["ran", 8],
    ["started", 10, 5],
  ]);
});

test("nothing is said of pods that were begun before, or are gone", () => {
  const { told, starts, pod, running } = lab();
  starts.seen(pod({ startTime: "2026-01-01T00:00:00Z" }));
  starts.told(pod(), { phase: "Running" });
  starts.seen(running(1));
  starts.forget("u");
  starts.pulled("u", 3);
  starts.told(pod(), { phase: "Running" });
  expect(told).toEqual([]);
});

test("what is done for a pod is told apart by why: it is new, it changed, or neither", async () => {
  const clock = new ManualClock();
  const told: unknown[] = [];
  const counts = {
    synced: (type: string, seconds: number) => void told.push([type, seconds]),
    workerStarted: (seconds: number) => void told.push(["started", seconds]),
  };
  const counter = new SyncCounter(clock, counts);
  const takes = (ms: number) => counter.run(async () => clock.advance(ms));
  counter.changed();
  clock.advance(500);
  await takes(1000);
  await takes(2000);
  counter.changed();
  await expect(counter.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await takes(0);
  expect(told).toEqual([
    ["started", 0.5],
    ["create", 1],
    ["sync", 2],
    ["update", 0],
    ["sync", 0],
  ]);
});

test("cgroups are counted as made, set and removed", async () => {
  const metrics = new KubeletMetrics();
  const done = async (): Promise<void> => {};
  const driver = { apply: done, remove: done, exists: async () => true, children: async () => [], parentText: () => "" };
  const metered = meteredCgroups(driver, metrics, new ManualClock());
  for (let i = 0; i < 3; i++) await metered.apply(["a", "b"], {});
  await metered.remove(["a", "b"]);
  await metered.apply(["a", "b"], {});
  const lines = (await metrics.text()).split("\n").filter((line) => line.includes("cgroup_manager_duration_seconds_count"));
  expect(lines.map((line) => line.replace("kubelet_cgroup_manager_duration_seconds_count", ""))).toEqual([
    '{operation_type="create"} 2',
    '{operation_type="update"} 2',
    '{operation_type="destroy"} 1',
  ]);
});
