import { expect, test } from "vitest";
import type { RuntimeService } from "#cri/runtime-service.ts";
import { KubeletMetrics } from "../metrics/kubelet-metrics.ts";
import type { KubeletHost } from "./kubelet-host.ts";
import { metrics } from "./metrics.ts";

/** Upstream's list of what a kubelet's `/metrics` tells (metrics reference of v1.36), without those of Go, of clients and of processes: name, type, labels. */
const UPSTREAM = `
kubelet_active_pods gauge static
kubelet_admission_rejections_total counter reason
kubelet_certificate_manager_client_expiration_renew_errors counter
kubelet_certificate_manager_client_ttl_seconds gauge
kubelet_certificate_manager_server_rotation_seconds histogram
kubelet_certificate_manager_server_ttl_seconds gauge
kubelet_cgroup_manager_duration_seconds histogram operation_type
kubelet_cgroup_version gauge
kubelet_container_aligned_compute_resources_count counter boundary,scope
kubelet_container_aligned_compute_resources_failure_count counter boundary,scope
kubelet_container_log_filesystem_used_bytes gauge container,namespace,pod,uid
kubelet_container_requested_resizes_total counter operation,requirement,resource
kubelet_containers_per_pod_count histogram
kubelet_cpu_manager_allocation_per_numa gauge numa_node
kubelet_cpu_manager_exclusive_cpu_allocation_count gauge
kubelet_cpu_manager_pinning_errors_total counter
kubelet_cpu_manager_pinning_requests_total counter
kubelet_cpu_manager_shared_pool_size_millicores gauge
kubelet_credential_provider_config_info gauge hash
kubelet_credential_provider_plugin_duration histogram plugin_name
kubelet_credential_provider_plugin_errors_total counter plugin_name
kubelet_cri_losing_support gauge version
kubelet_desired_pods gauge static
kubelet_device_plugin_alloc_duration_seconds histogram resource_name
kubelet_device_plugin_registration_total counter resource_name
kubelet_evented_pleg_connection_error_count counter
kubelet_evented_pleg_connection_latency_seconds histogram
kubelet_evented_pleg_connection_success_count counter
kubelet_eviction_stats_age_seconds histogram eviction_signal
kubelet_evictions counter eviction_signal
kubelet_graceful_shutdown_end_time_seconds gauge
kubelet_graceful_shutdown_start_time_seconds gauge
kubelet_http_inflight_requests gauge long_running,method,path,server_type
kubelet_http_requests_duration_seconds histogram long_running,method,path,server_type
kubelet_http_requests_total counter long_running,method,path,server_type
kubelet_image_garbage_collected_total counter reason
kubelet_image_manager_ensure_image_requests_total counter present_locally,pull_policy,pull_required
kubelet_image_pull_duration_seconds histogram image_size_in_bytes
kubelet_image_volume_mounted_errors_total counter
kubelet_image_volume_mounted_succeed_total counter
kubelet_image_volume_requested_total counter
kubelet_imagemanager_image_mustpull_checks_total counter result
kubelet_imagemanager_inmemory_pulledrecords_usage_percent gauge
kubelet_imagemanager_inmemory_pullintents_usage_percent gauge
kubelet_imagemanager_ondisk_pulledrecords gauge
kubelet_imagemanager_ondisk_pullintents gauge
kubelet_lifecycle_handler_http_fallbacks_total counter
kubelet_managed_ephemeral_containers gauge
kubelet_memory_manager_pinning_errors_total counter
kubelet_memory_manager_pinning_requests_total counter
kubelet_metrics_provider gauge provider
kubelet_mirror_pods gauge
kubelet_node_name gauge node
kubelet_node_startup_duration_seconds gauge
kubelet_node_startup_post_registration_duration_seconds gauge
kubelet_node_startup_pre_kubelet_duration_seconds gauge
kubelet_node_startup_pre_registration_duration_seconds gauge
kubelet_node_startup_registration_duration_seconds gauge
kubelet_orphan_pod_cleaned_volumes gauge
kubelet_orphan_pod_cleaned_volumes_errors gauge
kubelet_orphaned_runtime_pods_total counter
kubelet_pleg_discard_events counter
kubelet_pleg_last_seen_seconds gauge
kubelet_pleg_relist_duration_seconds histogram
kubelet_pleg_relist_interval_seconds histogram
kubelet_pod_deferred_accepted_resizes_total counter retry_trigger
kubelet_pod_in_progress_resizes gauge
kubelet_pod_infeasible_resizes_total counter reason_detail
kubelet_pod_pending_resizes gauge reason
kubelet_pod_resize_duration_milliseconds histogram success
kubelet_pod_resources_endpoint_errors_get counter server_api_version
kubelet_pod_resources_endpoint_errors_get_allocatable counter server_api_version
kubelet_pod_resources_endpoint_errors_list counter server_api_version
kubelet_pod_resources_endpoint_requests_get counter server_api_version
kubelet_pod_resources_endpoint_requests_get_allocatable counter server_api_version
kubelet_pod_resources_endpoint_requests_list counter server_api_version
kubelet_pod_resources_endpoint_requests_total counter server_api_version
kubelet_pod_start_duration_seconds histogram
kubelet_pod_start_sli_duration_seconds histogram
kubelet_pod_start_total_duration_seconds histogram
kubelet_pod_status_sync_duration_seconds histogram
kubelet_pod_worker_duration_seconds histogram operation_type
kubelet_pod_worker_start_duration_seconds histogram
kubelet_podcertificate_states gauge signer_name,state
kubelet_preemptions counter preemption_signal
kubelet_restarted_pods_total counter static
kubelet_run_podsandbox_duration_seconds histogram runtime_handler
kubelet_run_podsandbox_errors_total counter runtime_handler
kubelet_running_containers gauge container_state
kubelet_running_pods gauge
kubelet_runtime_operations_duration_seconds histogram operation_type
kubelet_runtime_operations_errors_total counter operation_type
kubelet_runtime_operations_total counter operation_type
kubelet_server_expiration_renew_errors counter
kubelet_sleep_action_terminated_early_total counter
kubelet_started_containers_errors_total counter code,container_type
kubelet_started_containers_total counter container_type
kubelet_started_host_process_containers_errors_total counter code,container_type
kubelet_started_host_process_containers_total counter container_type
kubelet_started_pods_errors_total counter
kubelet_started_pods_total counter
kubelet_started_user_namespaced_pods_errors_total counter
kubelet_started_user_namespaced_pods_total counter
kubelet_topology_manager_admission_duration_ms histogram
kubelet_topology_manager_admission_errors_total counter
kubelet_topology_manager_admission_requests_total counter
kubelet_volume_metric_collection_duration_seconds histogram metric_source
kubelet_volume_stats_available_bytes gauge namespace,persistentvolumeclaim
kubelet_volume_stats_capacity_bytes gauge namespace,persistentvolumeclaim
kubelet_volume_stats_health_status_abnormal gauge namespace,persistentvolumeclaim
kubelet_volume_stats_inodes gauge namespace,persistentvolumeclaim
kubelet_volume_stats_inodes_free gauge namespace,persistentvolumeclaim
kubelet_volume_stats_inodes_used gauge namespace,persistentvolumeclaim
kubelet_volume_stats_used_bytes gauge namespace,persistentvolumeclaim
kubelet_working_pods gauge config,lifecycle,static
storage_operation_duration_seconds histogram migrated,operation_name,status,volume_plugin
`
  .trim()
  .split("\n")
  .map((line) => line.split(" "))
  .map(([name = "", type = "", labels = ""]) => ({ name, type, labels }));

/** What of it is not told, and why. */
const ABSENT: Readonly<Record<string, RegExp>> = {
  "there are no exclusive processors, memory or NUMA nodes to give": /_(cpu|memory|topology)_manager_|aligned_compute_resources/,
  "there are no plugins of devices or credentials, and no socket that tells of pods' resources":
    /_device_plugin_|_credential_provider_|_pod_resources_endpoint_/,
  "pulls are not recorded by who may use their images": /_imagemanager_/,
  "it runs on Linux alone": /_host_process_/,
  "the health of volumes is CSI drivers' to tell": /_health_status_abnormal/,
  "runtimes do not say when they lose support": /_cri_losing_support/,
  "nothing is discarded: what changed is found by comparing": /_pleg_discard_events|_evented_pleg_/,
  "hooks are tried as they are written": /_http_fallbacks_/,
  "not counted yet":
    /_container_requested_resizes_|_deferred_accepted_resizes_|_infeasible_resizes_|_pod_resize_duration_|_node_startup_|_server_rotation_seconds|_podcertificate_states|_sleep_action_|_volume_metric_collection_/,
};

interface Told {
  readonly type: string;
  readonly help: string;
  readonly labels: ReadonlySet<string>;
}

/** The page of a kubelet where everything has happened once. */
async function page(): Promise<ReadonlyMap<string, Told>> {
  const counted = new KubeletMetrics();
  counted.operation("version", 1, true);
  counted.sandbox("", 1, true, true);
  counted.startingContainer("container");
  counted.containerFailed("container", "ErrImagePull");
  counted.relisted(1000, 1, 1);
  counted.synced("create", 1);
  counted.workerStarted(1);
  counted.podRan(1);
  counted.podStarted(2, 1);
  counted.statusSynced(1);
  counted.podAdded(1);
  counted.podRestarted(true);
  counted.orphanedPod();
  counted.volumesCleaned(1, 0);
  counted.rejected("OutOfcpu");
  counted.preempted("cpu");
  counted.evicted("memory.available");
  counted.evicting("memory.available", 1);
  counted.cgroup("create", 1);
  counted.cgroupVersion(2);
  counted.imageEnsured(true, "Always", false);
  counted.imageVolume()(true);
  counted.imageCollected("age");
  counted.pulled(1, 1);
  counted.shutdown(1)(2);
  counted.storage("kubernetes.io/empty-dir", "volume_mount", 1, false);
  counted.request("GET", "/pods", "readonly")(1);
  const sandbox = { id: "s", metadata: { name: "web", namespace: "shop", uid: "u", attempt: 0 }, state: "SANDBOX_READY" };
  const container = { id: "c", sandboxId: "s", metadata: { name: "app", attempt: 0 }, state: "CONTAINER_RUNNING", logPath: "/l" };
  const runtime = {
    listContainers: async () => [container],
    containerStatuses: async () => [container],
    listPodSandbox: async () => [sandbox],
  };
  const volume = { capacityBytes: 1, availableBytes: 1, usedBytes: 1, inodes: 1, inodesFree: 1, inodesUsed: 1, name: "v" };
  const host = {
    nodeName: "n",
    startedAtMs: 0,
    runtime: runtime as unknown as RuntimeService,
    metrics: counted,
    pods: () => [{ metadata: { name: "web", namespace: "shop", uid: "u" }, spec: { containers: [] } }],
    volumeStats: async () => [{ ...volume, pvcRef: { name: "claim", namespace: "shop" } }],
    logBytes: async () => 7,
    now: () => 0,
    processMetrics: () => "",
  };
  let text = "";
  const response = { writeHead: () => response, setHeader: () => response, end: (body: unknown) => (text = String(body)) };
  const route = metrics.find(({ path }) => path === "/metrics") ?? expect.unreachable();
  await route.serve({ host: host as unknown as KubeletHost, response, request: { method: "GET" } } as never);
  const told = new Map<string, Told>();
  for (const [, name = "", help = ""] of text.matchAll(/^# HELP (\S+) (.*)$/gm)) {
    const type = new RegExp(`^# TYPE ${name} (.*)$`, "m").exec(text)?.[1] ?? "";
    const [, pairs = ""] =
      new RegExp(`^${name}(?:_count)?(?:{(.*)})? `, "m").exec(text) ?? expect.unreachable(`${name} has no value`);
    const labels = new Set([...pairs.matchAll(/(\w+)="/g)].map(([, label = ""]) => label));
    told.set(name, { type, help, labels });
  }
  return told;
}

const isAbsent = (name: string): boolean => Object.values(ABSENT).some((pattern) => pattern.test(name));

test("each of upstream's is told by its name, type and labels, but for those that are said to be absent", async () => {
  const told = await page();
  const actual = [...told].map(([name, { type, labels }]) => ({ name, type, labels: [...labels].toSorted().join(",") }));
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
  expect(actual.toSorted(byName)).toEqual(UPSTREAM.filter(({ name }) => !isAbsent(name)));
  for (const { help } of told.values()) expect(help).toMatch(/^\[(ALPHA|BETA)\] ./);
});

test.each(Object.entries(ABSENT))("%s: some of upstream's are absent for it", (_, pattern) => {
  expect(UPSTREAM.some(({ name }) => pattern.test(name))).toBe(true);
});
