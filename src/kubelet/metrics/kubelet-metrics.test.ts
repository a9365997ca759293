import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import { KubeletMetrics } from "./kubelet-metrics.ts";
import { meteredRuntime } from "./metered-services.ts";

const MB = 1024 * 1024;

/** The lines with values that begin with a name. */
async function lines(metrics: KubeletMetrics, name: string): Promise<string[]> {
  return (await metrics.text()).split("\n").filter((line) => line.startsWith(`kubelet_${name}`));
}

test.each([
  [0, "N/A"],
  [1, "0-10MB"],
  [10 * MB, "0-10MB"],
  [10 * MB + 1, "10MB-100MB"],
  [2048 * MB, "1GB-5GB"],
  [200 * 1024 * MB, "GT100GB"],
])("an image of %i bytes counts as %s", async (bytes, label) => {
  const metrics = new KubeletMetrics();
  metrics.pulled(bytes, 7);
  expect(await lines(metrics, "image_pull_duration_seconds_sum")).toEqual([
    `kubelet_image_pull_duration_seconds_sum{image_size_in_bytes="${label}"} 7`,
  ]);
});

test.each([
  ["GET", "/pods", 'method="GET",path="pods",server_type="readwrite",long_running="false"'],
  ["POST", "/exec/default/web/app", 'method="POST",path="exec",server_type="readwrite",long_running="true"'],
  ["GET", "/portForward/default/web", 'method="GET",path="portForward",server_type="readwrite",long_running="false"'],
  ["BREW", "/nowhere", 'method="other",path="other",server_type="readwrite",long_running="false"'],
])("%s %s is counted while it goes on and when it has been answered", async (method, path, labels) => {
  const metrics = new KubeletMetrics();
  const answered = metrics.request(method, path, "readwrite");
  expect(await lines(metrics, "http_requests_total")).toEqual([`kubelet_http_requests_total{${labels}} 1`]);
  expect(await lines(metrics, "http_inflight_requests")).toEqual([`kubelet_http_inflight_requests{${labels}} 1`]);
  answered(2);
  expect(await lines(metrics, "http_inflight_requests")).toEqual([`kubelet_http_inflight_requests{${labels}} 0`]);
  expect(await lines(metrics, "http_requests_duration_seconds_sum")).toEqual([
    `kubelet_http_requests_duration_seconds_sum{${labels}} 2`,
  ]);
});

test("a runtime answers as before, and is counted", async () => {
  const clock = new ManualClock();
  const metrics = new KubeletMetrics();
  class Runtime {
    readonly #name = "fake";
    async version(): Promise<object> {
      clock.advance(3000);
      return { runtimeName: this.#name };
    }
    runPodSandbox(): Promise<string> {
      return Promise.reject(new Error("no network"));
    }
    getContainerEvents(): () => void {
      return () => this.#name;
    }
  }
  const runtime = meteredRuntime(new Runtime() as unknown as RuntimeService, metrics, clock);
  expect(await runtime.version()).toEqual({ runtimeName: "fake" });
  await expect(runtime.runPodSandbox({} as never, "kata")).rejects.toThrow("no network");
  expect(runtime.getContainerEvents(() => {})()).toBe("fake");
  expect(await lines(metrics, "runtime_operations_total")).toEqual([
    'kubelet_runtime_operations_total{operation_type="version"} 1',
    'kubelet_runtime_operations_total{operation_type="run_podsandbox"} 1',
  ]);
  expect(await lines(metrics, "runtime_operations_errors_total")).toEqual([
    'kubelet_runtime_operations_errors_total{operation_type="run_podsandbox"} 1',
  ]);
  expect(await lines(metrics, "runtime_operations_duration_seconds_sum")).toContain(
    'kubelet_runtime_operations_duration_seconds_sum{operation_type="version"} 3',
  );
  expect(await lines(metrics, "run_podsandbox_errors_total")).toEqual([
    'kubelet_run_podsandbox_errors_total{runtime_handler="kata"} 1',
  ]);
  expect(await lines(metrics, "started_pods_errors_total")).toEqual(["kubelet_started_pods_errors_total 1"]);
});
