import { expect, test } from "vitest";
import { DEFAULT_EVICTION_HARD, withDefaults } from "./defaults.ts";
import type { KubeletConfigurationPart } from "./kubelet-configuration.ts";
import { validateConfiguration } from "./validation.ts";

test("nothing said is upstream's default", () => {
  const configuration = withDefaults({});
  expect(configuration).toMatchObject({
    enableServer: true,
    port: 10250,
    healthzPort: 10248,
    healthzBindAddress: "127.0.0.1",
    authentication: { x509: {}, webhook: { enabled: true, cacheTTL: "2m0s" }, anonymous: { enabled: false } },
    authorization: { mode: "Webhook", webhook: { cacheAuthorizedTTL: "5m0s", cacheUnauthorizedTTL: "30s" } },
    nodeLeaseDurationSeconds: 40,
    nodeStatusReportFrequency: "5m0s",
    evictionHard: DEFAULT_EVICTION_HARD,
    enforceNodeAllocatable: ["pods"],
    podPidsLimit: -1,
    serializeImagePulls: true,
  });
  expect(configuration.readOnlyPort).toBeUndefined();
  expect(validateConfiguration(configuration)).toEqual([]);
});

test.each<[string, KubeletConfigurationPart, object]>([
  ["a zero of a plain number says nothing", { port: 0, maxPods: 0 }, { port: 10250, maxPods: 110 }],
  ["a zero of a pointer is a setting", { healthzPort: 0, eventRecordQPS: 0 }, { healthzPort: 0, eventRecordQPS: 0 }],
  ["no time says nothing", { syncFrequency: "0s", fileCheckFrequency: "0h0m0s" }, { syncFrequency: "1m0s" }],
  ["a report is as often as a look that was set", { nodeStatusUpdateFrequency: "3s" }, { nodeStatusReportFrequency: "3s" }],
  ["parallel pulls are not serial", { maxParallelImagePulls: 3 }, { serializeImagePulls: false }],
  [
    "a signal that is set puts the others off",
    { evictionHard: { "memory.available": "1Gi" } },
    { evictionHard: { "memory.available": "1Gi" } },
  ],
  [
    "unless the defaults are merged in",
    { evictionHard: { "memory.available": "1Gi" }, mergeDefaultEvictionSettings: true },
    { evictionHard: { ...DEFAULT_EVICTION_HARD, "memory.available": "1Gi" } },
  ],
  ["negative limits of processes are one", { podPidsLimit: -7 }, { podPidsLimit: -1 }],
  [
    "a part of what is nested",
    { authentication: { anonymous: { enabled: true } } },
    { authentication: { webhook: { enabled: true, cacheTTL: "2m0s" }, anonymous: { enabled: true } } },
  ],
])("%s", (_, part, want) => {
  expect(withDefaults(part)).toMatchObject(want);
});

test.each<[KubeletConfigurationPart, string]>([
  [{ nodeLeaseDurationSeconds: -1 }, "invalid configuration: nodeLeaseDurationSeconds must be greater than 0"],
  [
    { imageGCHighThresholdPercent: 70, imageGCLowThresholdPercent: 70 },
    "invalid configuration: imageGCLowThresholdPercent (--image-gc-low-threshold) 70 must be less than imageGCHighThresholdPercent (--image-gc-high-threshold) 70",
  ],
  [{ port: 70_000 }, "invalid configuration: port (--port) 70000 must be between 1 and 65535, inclusive"],
  [{ maxPods: -1 }, "invalid configuration: maxPods (--max-pods) -1 must not be a negative number"],
  [
    { enforceNodeAllocatable: ["kube-reserved"] },
    'invalid configuration: kubeReservedCgroup (--kube-reserved-cgroup) must be specified when "kube-reserved" or "kube-reserved-compressible" included in enforceNodeAllocatable (--enforce-node-allocatable)',
  ],
  [
    { enforceNodeAllocatable: ["pods", "none"] },
    'invalid configuration: enforceNodeAllocatable (--enforce-node-allocatable) may not contain additional enforcements when "none" is specified',
  ],
  [
    { enforceNodeAllocatable: ["pods"], cgroupsPerQOS: false },
    'invalid configuration: cgroupsPerQOS (--cgroups-per-qos) must be set to true when "pods" contained in enforceNodeAllocatable (--enforce-node-allocatable)',
  ],
  [
    { enforceNodeAllocatable: ["all"] },
    'invalid configuration: option "all" specified for enforceNodeAllocatable (--enforce-node-allocatable). Valid options are "pods", "system-reserved", "system-reserved-compressible", "kube-reserved", "kube-reserved-compressible" or "none"',
  ],
  [
    { hairpinMode: "x" },
    'invalid configuration: option "x" specified for hairpinMode (--hairpin-mode). Valid options are "none", "hairpin-veth" or "promiscuous-bridge"',
  ],
  [
    { topologyManagerPolicy: "best" },
    'invalid configuration: topologyManagerPolicy (--topology-manager-policy) "best" must be one of: ["none" "best-effort" "restricted" "single-numa-node"]',
  ],
  [
    { shutdownGracePeriod: "10s", shutdownGracePeriodCriticalPods: "20s" },
    "invalid configuration: shutdownGracePeriodCriticalPods {20s} must be <= shutdownGracePeriod {10s}",
  ],
  [{ containerLogMaxFiles: 1 }, "invalid configuration: containerLogMaxFiles must be greater than 1"],
  [{ podLogsDir: "logs" }, 'invalid configuration: pod logs path "logs" must be absolute path'],
  [{ podLogsDir: "/var/log/" }, 'invalid configuration: pod logs path "/var/log/" must be normalized'],
  [{ registerWithTaints: [{ key: "a", effect: "Never" }] }, "invalid taint: {a  Never <nil>}"],
  [{ kubeReserved: { gpu: "1" } }, '--kube-reserved value failed to parse: cannot reserve "gpu" resource'],
  [
    { systemReserved: { cpu: "-1" } },
    '--system-reserved value failed to parse: resource quantity for "cpu" cannot be negative: -1',
  ],
  [
    { crashLoopBackOff: { maxContainerRestartPeriod: "10m" } },
    "invalid configuration: CrashLoopBackOff.MaxContainerRestartPeriod (got: 600 seconds) must be set between 1s and 300s",
  ],
])("%o is refused", (part, want) => {
  expect(validateConfiguration(withDefaults(part))).toEqual([want]);
});
