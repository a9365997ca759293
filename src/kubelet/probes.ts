import type { Container, Pod, Probe } from "#api/generated/core/v1.ts";
import type { ContainerStatus } from "#cri/container.ts";
import type { ProbeFindings } from "./handlers/container-prober.ts";

/** On a pod: `"false"` makes its readiness probes fail. */
export const READY_ANNOTATION = "kybern.io/simulated-ready";

/** What probes have found out about a running container, and when they will find out more. */
export interface ProbeResult {
  /** The startup probe succeeded, or there is none. */
  readonly started: boolean;
  readonly ready: boolean;
  /** When this changes by itself, in milliseconds on the scale of `nowMs`. */
  readonly changesAtMs: number | undefined;
}

/** What counts of a container's time, in milliseconds on one scale that nobody sets. */
export interface ProbeTimes {
  readonly nowMs: number;
  readonly startedAtMs?: number | undefined;
}

/** Probes that are not carried out succeed as soon as their first delay is over; `findings` are of those that are. */
export function probe(
  pod: Pod,
  container: Container,
  status: ContainerStatus | undefined,
  { nowMs, startedAtMs: beganAtMs }: ProbeTimes,
  findings?: ProbeFindings,
): ProbeResult {
  if (status?.state !== "CONTAINER_RUNNING" || beganAtMs === undefined) {
    return { started: false, ready: false, changesAtMs: undefined };
  }
  if (findings !== undefined) {
    const held = container.readinessProbe !== undefined && pod.metadata.annotations?.[READY_ANNOTATION] === "false";
    return { started: findings.started, ready: findings.ready && !held, changesAtMs: undefined };
  }
  const startedAtMs = beganAtMs + delayMs(container.startupProbe);
  if (nowMs < startedAtMs) return { started: false, ready: false, changesAtMs: startedAtMs };
  if (container.readinessProbe === undefined) return { started: true, ready: true, changesAtMs: undefined };
  if (pod.metadata.annotations?.[READY_ANNOTATION] === "false") return { started: true, ready: false, changesAtMs: undefined };
  const readyAtMs = Math.max(startedAtMs, beganAtMs + delayMs(container.readinessProbe));
  return nowMs < readyAtMs
    ? { started: true, ready: false, changesAtMs: readyAtMs }
    : { started: true, ready: true, changesAtMs: undefined };
}

function delayMs(probe: Probe | undefined): number {
  return (probe?.initialDelaySeconds ?? 0) * 1000;
}
