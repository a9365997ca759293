import type { Container, ContainerStatus, Pod, PodCondition, PodStatus } from "#api/generated/core/v1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { containerStatuses, ephemeralContainerStatuses, type StatusSituation } from "./container-statuses.ts";
import { lastStatuses } from "./last-statuses.ts";
import { isSidecar, latestAttempt, ruleFor } from "./observed-pod.ts";
import type { Rejection } from "./pod-admission.ts";
import { initProgress, type PodStatuses, podPhase } from "./pod-phase.ts";

/** What a pod's status is made from. */
export interface PodStatusSituation extends StatusSituation {
  /** The node's addresses, of each family one. */
  readonly hostIps: readonly string[];
  /** When the node took the pod on, in milliseconds since the epoch. */
  readonly startTimeMs: number;
  /** Conditions told before, for their transition times. */
  readonly previousConditions: readonly PodCondition[];
  /** Conditions of a change of resources that is under way. */
  readonly resizing?: readonly Pick<PodCondition, "type" | "status" | "reason" | "message" | "observedGeneration">[];
  /** Why the node ended the pod, if it did. */
  readonly failure: Rejection | undefined;
}

/** The action of a rule by which all containers of a pod begin anew. */
const RESTART_ALL = "RestartAllContainers";

/** The status that the node tells of a pod: all fields that are the node's to write. */
export function podStatus(situation: PodStatusSituation): PodStatus {
  const { pod, hostIps, failure, ending } = situation;
  const seen: PodStatuses = {
    init: containerStatuses(situation, pod.spec.initContainers ?? [], true),
    main: containerStatuses(situation, pod.spec.containers, false),
  };
  const statuses = ending ? lastStatuses(pod, seen) : seen;
  const phase = failure === undefined ? podPhase(pod, statuses, situation.ending) : "Failed";
  const ips = podIps(situation);
  const generation = pod.metadata.generation;
  const ephemeral = ephemeralContainerStatuses(situation);
  // Member by member: a spread for each that may be absent makes an object for it, and this is made at every step of a pod.
  const status: { -readonly [Field in keyof PodStatus]: PodStatus[Field] } = {};
  if (generation !== undefined) status.observedGeneration = generation;
  status.phase = phase;
  status.conditions = podConditions(situation, statuses, phase);
  if (failure !== undefined) {
    status.reason = failure.reason;
    status.message = failure.message;
  }
  status.hostIP = hostIps[0] ?? "";
  status.hostIPs = hostIps.map((ip) => ({ ip }));
  if (ips[0] !== undefined) {
    status.podIP = ips[0];
    status.podIPs = ips.map((ip) => ({ ip }));
  }
  status.startTime = formatTime(situation.startTimeMs);
  if (statuses.init.length > 0) status.initContainerStatuses = statuses.init;
  status.containerStatuses = statuses.main;
  if (ephemeral.length > 0) status.ephemeralContainerStatuses = ephemeral;
  return status;
}

function podIps({ pod, observed, hostIps }: PodStatusSituation): readonly string[] {
  if (pod.spec.hostNetwork === true) return hostIps;
  const { ip = "", additionalIps = [] } = observed.sandbox ?? {};
  return ip === "" ? [] : [ip, ...additionalIps];
}

type Finding = Pick<PodCondition, "type" | "status" | "reason" | "message" | "observedGeneration">;

function podConditions(situation: PodStatusSituation, statuses: PodStatuses, phase: string): PodCondition[] {
  const { pod, nowMs, previousConditions } = situation;
  const { generation } = pod.metadata;
  const containersReady = containersReadyFinding(pod, statuses, phase);
  const findings: Finding[] = [
    { type: "PodReadyToStartContainers", status: hasNetwork(situation) ? "True" : "False" },
    ...restartingFinding(situation, phase),
    initializedFinding(pod, statuses, phase),
    readyFinding(pod, containersReady),
    containersReady,
    { type: "PodScheduled", status: "True" },
    ...(situation.resizing ?? []),
    ...disruption(situation.failure),
  ];
  return findings.map((finding) => {
    const before = previousConditions.find(({ type }) => type === finding.type);
    const unchanged = before?.status === finding.status && before.lastTransitionTime !== undefined;
    return conditionOf(finding, unchanged ? before.lastTransitionTime : formatTime(nowMs), generation);
  });
}

function conditionOf(finding: Finding, lastTransitionTime: string, generation: number | undefined): PodCondition {
  const { type, status, reason, message, observedGeneration = generation } = finding;
  // Member by member, as the status itself.
  const condition: { -readonly [Field in keyof PodCondition]: PodCondition[Field] } = { type, status };
  if (reason !== undefined) condition.reason = reason;
  if (message !== undefined) condition.message = message;
  condition.lastTransitionTime = lastTransitionTime;
  if (observedGeneration !== undefined) condition.observedGeneration = observedGeneration;
  return condition;
}

/** Of pods that have a rule for it (upstream's `GenerateAllContainersRestartingCondition`, KEP-5532). */
function restartingFinding({ pod, observed }: PodStatusSituation, phase: string): readonly Finding[] {
  const type = "AllContainersRestarting";
  const { initContainers, containers } = pod.spec;
  if (!initContainers?.some(restartsAll) && !containers.some(restartsAll)) return [];
  if (phase === "Succeeded") return [{ type, status: "False", reason: "PodCompleted" }];
  if (phase === "Failed") return [{ type, status: "False", reason: "PodFailed" }];
  const began = [...(initContainers ?? []), ...containers].filter(restartsAll).some((container) => {
    const status = latestAttempt(observed, container.name);
    return status !== undefined && hasEnded(status) && ruleFor(container, status.exitCode) === RESTART_ALL;
  });
  if (!began) return [{ type, status: "False" }];
  const message = "container exited with restart policy rule";
  return [{ type, status: "True", reason: "RestartAllContainersStarted", message }];
}

function restartsAll({ restartPolicyRules }: Container): boolean {
  return restartPolicyRules?.some(({ action }) => action === RESTART_ALL) === true;
}

function disruption(failure: Rejection | undefined): readonly Finding[] {
  if (failure?.isDisruption !== true) return [];
  return [
    {
      type: "DisruptionTarget",
      status: "True",
      reason: "TerminationByKubelet",
      message: failure.disruptionMessage ?? failure.message,
    },
  ];
}

function hasNetwork({ observed, ending }: PodStatusSituation): boolean {
  return observed.sandbox?.state === "SANDBOX_READY" && !(ending && observed.containers.every(hasEnded));
}

function hasEnded({ state }: { readonly state: string }): boolean {
  return state === "CONTAINER_EXITED";
}

function initializedFinding(pod: Pod, { init }: PodStatuses, phase: string): Finding {
  if (phase === "Succeeded") return { type: "Initialized", status: "True", reason: "PodCompleted" };
  if (initProgress(pod, init) === "done") return { type: "Initialized", status: "True" };
  const incomplete = (pod.spec.initContainers ?? []).filter((container) => {
    const status = init.find(({ name }) => name === container.name);
    return isSidecar(container) ? status?.started !== true : status?.ready !== true;
  });
  const message = `containers with incomplete status: [${incomplete.map(({ name }) => name).join(" ")}]`;
  return { type: "Initialized", status: "False", reason: "ContainersNotInitialized", message };
}

function containersReadyFinding(pod: Pod, statuses: PodStatuses, phase: string): Finding {
  const type = "ContainersReady";
  if (phase === "Succeeded") return { type, status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { type, status: "False", reason: "PodFailed" };
  const isUnready = ({ ready }: ContainerStatus): boolean => !ready;
  const sidecars = statuses.init.length === 0 ? [] : sidecarsOf(pod, statuses.init);
  if (!sidecars.some(isUnready) && !statuses.main.some(isUnready)) return { type, status: "True" };
  const unready = [...sidecars, ...statuses.main].filter(isUnready).map(({ name }) => name);
  return {
    type,
    status: "False",
    reason: "ContainersNotReady",
    message: `containers with unready status: [${unready.join(" ")}]`,
  };
}

function sidecarsOf({ spec }: Pod, statuses: readonly ContainerStatus[]): readonly ContainerStatus[] {
  const names = new Set((spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  return statuses.filter(({ name }) => names.has(name));
}

function readyFinding(pod: Pod, containersReady: Finding): Finding {
  if (containersReady.status !== "True") return { ...containersReady, type: "Ready" };
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (condition === undefined) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (condition.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  if (messages.length === 0) return { type: "Ready", status: "True" };
  return { type: "Ready", status: "False", reason: "ReadinessGatesNotReady", message: messages.join(", ") };
}
