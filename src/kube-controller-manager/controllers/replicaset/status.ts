import type { Pod } from "#api/generated/core/v1.ts";
import { selectorFromSet } from "#apimachinery/labels/selector.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { isPodAvailable, isPodReady } from "#component-helpers/pod/pod-conditions.ts";
import type { ReplicaCondition, ReplicaOwner, ReplicaStatus } from "./replica-owner.ts";

/** What a pass saw. */
export interface PassResult {
  readonly active: readonly Pod[];
  readonly terminating: readonly Pod[];
  /** Why pods could not be created or deleted. */
  readonly error: unknown;
  /** ReplicaSets count terminating pods (KEP-3973). */
  readonly countTerminating: boolean;
  readonly nowMs: number;
}

/** Upstream's `calculateStatus`. */
export function calculateStatus(owner: ReplicaOwner, pass: PassResult): ReplicaStatus {
  const templateLabels = selectorFromSet(owner.template.metadata?.labels ?? {});
  const { active, nowMs } = pass;
  const conditions = nextConditions(owner, pass);
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) => templateLabels.matches(pod.metadata.labels)).length,
    readyReplicas: active.filter(isPodReady).length,
    availableReplicas: active.filter((pod) => isPodAvailable(pod, owner.minReadySeconds, nowMs)).length,
    ...(pass.countTerminating ? { terminatingReplicas: pass.terminating.length } : {}),
    observedGeneration: owner.metadata.generation ?? 0,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

/** Whether writing the status would change anything. */
export function statusChanged(old: ReplicaStatus, now: ReplicaStatus): boolean {
  return (
    old.replicas !== now.replicas ||
    (old.fullyLabeledReplicas ?? 0) !== now.fullyLabeledReplicas ||
    (old.readyReplicas ?? 0) !== now.readyReplicas ||
    (old.availableReplicas ?? 0) !== now.availableReplicas ||
    old.terminatingReplicas !== now.terminatingReplicas ||
    (old.observedGeneration ?? 0) !== now.observedGeneration ||
    JSON.stringify(old.conditions ?? []) !== JSON.stringify(now.conditions ?? [])
  );
}

function nextConditions(owner: ReplicaOwner, { active, error, nowMs }: PassResult): readonly ReplicaCondition[] {
  const old = owner.status.conditions ?? [];
  const failing = old.some(({ type }) => type === "ReplicaFailure");
  if (error === undefined) return failing ? old.filter(({ type }) => type !== "ReplicaFailure") : old;
  if (failing) return old;
  const surplus = active.length - owner.replicas;
  const reason = surplus < 0 ? "FailedCreate" : surplus > 0 ? "FailedDelete" : "";
  const message = error instanceof Error ? error.message : String(error);
  return [...old, { type: "ReplicaFailure", status: "True", lastTransitionTime: formatTime(nowMs), reason, message }];
}
