import type { ContainerStatus, Pod } from "#api/generated/core/v1.ts";
import { humanDuration } from "#apimachinery/meta/human-duration.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import type { Column } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { isSidecar } from "./pod-resources.ts";

/** What `kubectl get pods` says of a pod: upstream's `printPod`. */
interface PodSummary {
  readonly ready: number;
  readonly total: number;
  readonly reason: string;
  readonly restarts: number;
  /** Milliseconds since the epoch; undefined for none. */
  readonly lastRestart: number | undefined;
}

function terminatedReason(status: ContainerStatus): string {
  const terminated = status.state?.terminated;
  if (terminated?.reason) return terminated.reason;
  return terminated?.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated?.exitCode ?? 0}`;
}

function later(a: number | undefined, status: ContainerStatus): number | undefined {
  const b = parseTime(status.lastState?.terminated?.finishedAt);
  return a === undefined || (b !== undefined && b > a) ? b : a;
}

function hasCondition(pod: Pod, type: string): boolean {
  return (pod.status?.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
}

function summarise(pod: Pod): PodSummary {
  const status = pod.status ?? {};
  const initContainers = pod.spec?.initContainers ?? [];
  const sidecars = new Set(initContainers.filter(isSidecar).map((container) => container.name));
  const total = (pod.spec?.containers ?? []).length + sidecars.size;
  let reason = status.reason || status.phase || "";
  if ((status.conditions ?? []).some((c) => c.type === "PodScheduled" && c.reason === "SchedulingGated")) {
    reason = "SchedulingGated";
  }
  let ready = 0;
  let restarts = 0;
  let sidecarRestarts = 0;
  let lastRestart: number | undefined;
  let lastSidecarRestart: number | undefined;
  let initializing = false;
  const initStatuses = status.initContainerStatuses ?? [];
  for (const [i, container] of initStatuses.entries()) {
    const sidecar = sidecars.has(container.name);
    restarts += container.restartCount ?? 0;
    lastRestart = later(lastRestart, container);
    if (sidecar) {
      sidecarRestarts += container.restartCount ?? 0;
      lastSidecarRestart = later(lastSidecarRestart, container);
    }
    const terminated = container.state?.terminated;
    if (terminated && (terminated.exitCode ?? 0) === 0) continue;
    if (sidecar && container.started === true) {
      if (container.ready) ready++;
      continue;
    }
    const waiting = container.state?.waiting?.reason ?? "";
    if (terminated) reason = `Init:${terminatedReason(container)}`;
    else if (waiting !== "" && waiting !== "PodInitializing") reason = `Init:${waiting}`;
    else reason = `Init:${i}/${initContainers.length}`;
    initializing = true;
    break;
  }
  if (!initializing || hasCondition(pod, "Initialized")) {
    restarts = sidecarRestarts;
    lastRestart = lastSidecarRestart;
    let running = false;
    for (const container of [...(status.containerStatuses ?? [])].reverse()) {
      restarts += container.restartCount ?? 0;
      lastRestart = later(lastRestart, container);
      const waiting = container.state?.waiting?.reason ?? "";
      if (waiting !== "") reason = waiting;
      else if (container.state?.terminated) reason = terminatedReason(container);
      else if (container.ready && container.state?.running) {
        running = true;
        ready++;
      }
    }
    // A job's pod with a running sidecar is not over yet.
    if (reason === "Completed" && running) reason = hasCondition(pod, "Ready") ? "Running" : "NotReady";
  }
  const terminal = status.phase === "Succeeded" || status.phase === "Failed";
  if (pod.metadata?.deletionTimestamp) {
    if (status.reason === "NodeLost") reason = "Unknown";
    else if (!terminal) reason = "Terminating";
  }
  return { ready, total, reason, restarts, lastRestart };
}

function restartsCell(pod: Pod, now: number): string {
  const { restarts, lastRestart } = summarise(pod);
  return restarts !== 0 && lastRestart !== undefined ? `${restarts} (${humanDuration(now - lastRestart)} ago)` : `${restarts}`;
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const conditions = pod.status?.conditions ?? [];
  const passed = gates.filter((gate) => conditions.find((c) => c.type === gate.conditionType)?.status === "True");
  return `${passed.length}/${gates.length}`;
}

const column = columnsOf<Pod>("/pods");
const WIDE = { priority: 1 };

/** Columns of pods. */
export const POD_COLUMNS: readonly Column<Pod>[] = [
  nameColumn as Column<Pod>,
  column("Ready", "string", (pod) => {
    const { ready, total } = summarise(pod);
    return `${ready}/${total}`;
  }),
  column("Status", "string", (pod) => summarise(pod).reason),
  column("Restarts", "string", restartsCell),
  ageColumn as Column<Pod>,
  column("IP", "string", (pod) => pod.status?.podIPs?.[0]?.ip || "<none>", WIDE),
  column("Node", "string", (pod) => pod.spec?.nodeName || "<none>", WIDE),
  column("Nominated Node", "string", (pod) => pod.status?.nominatedNodeName || "<none>", WIDE),
  column("Readiness Gates", "string", readinessGates, WIDE),
];
