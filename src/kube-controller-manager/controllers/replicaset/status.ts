import { selectorFromSet } from "#apimachinery/labels/selector.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { availableOf, type PodGroup } from "./pod-census.ts";
import type { ReplicaCondition, ReplicaOwner, ReplicaStatus } from "./replica-owner.ts";

/** What a pass saw. */
export interface PassResult {
  readonly groups: readonly PodGroup[];
  /** Why pods could not be created or deleted. */
  readonly error: unknown;
  /** ReplicaSets count terminating pods (KEP-3973). */
  readonly countTerminating: boolean;
  readonly nowMs: number;
}

/** Upstream's `calculateStatus`. */
export function calculateStatus(owner: ReplicaOwner, pass: PassResult): ReplicaStatus {
  const templateLabels = selectorFromSet(owner.template.metadata?.labels ?? {});
  const { groups, nowMs } = pass;
  const total = (of: (group: PodGroup) => number): number => groups.reduce((sum, group) => sum + of(group), 0);
  const replicas = total(({ active }) => active);
  const conditions = nextConditions(owner, replicas, pass);
  return {
    replicas,
    fullyLabeledReplicas: total(({ active, labels }) => (templateLabels.matches(labels) ? active : 0)),
    readyReplicas: total(({ ready }) => ready),
    availableReplicas: total((group) => availableOf(group, owner.minReadySeconds, nowMs)),
    ...(pass.countTerminating ? { terminatingReplicas: total(({ terminating }) => terminating) } : {}),
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

function nextConditions(owner: ReplicaOwner, replicas: number, { error, nowMs }: PassResult): readonly ReplicaCondition[] {
  const old = owner.status.conditions ?? [];
  const failing = old.some(({ type }) => type === "ReplicaFailure");
  if (error === undefined) return failing ? old.filter(({ type }) => type !== "ReplicaFailure") : old;
  if (failing) return old;
  const surplus = replicas - owner.replicas;
  const reason = surplus < 0 ? "FailedCreate" : surplus > 0 ? "FailedDelete" : "";
  const message = error instanceof Error ? error.message : String(error);
  return [...old, { type: "ReplicaFailure", status: "True", lastTransitionTime: formatTime(nowMs), reason, message }];
}
