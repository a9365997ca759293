import type { Pod } from "#api/generated/core/v1.ts";
import { isPodActive, isPodTerminal, isPodTerminating, podAvailableInMs } from "#component-helpers/pod/pod-conditions.ts";
import type { RequeueAction } from "../../framework/controller.ts";
import { claim } from "../../framework/ownership.ts";
import { rankForDeletion } from "./deletion-rank.ts";
import type { ReplicaOwner } from "./replica-owner.ts";

/** Pods created or deleted in one pass; the rest follows in the next. */
export const BURST_REPLICAS = 500;

/** What the decision depends on. */
export interface Observed {
  readonly owner: ReplicaOwner;
  /** Pods that the owner controls, and those of its namespace that nobody does. */
  readonly candidates: readonly Pod[];
  /** Active pods of all owners with the same purpose: siblings in one Deployment. */
  readonly related: () => readonly Pod[];
  /** False while earlier creations and deletions do not show yet. */
  readonly mayManage: boolean;
  readonly nowMs: number;
}

export type Action =
  | { readonly type: "claim"; readonly adopt: readonly Pod[]; readonly release: readonly Pod[] }
  | { readonly type: "createPods"; readonly count: number }
  | { readonly type: "deletePods"; readonly pods: readonly Pod[] }
  | { readonly type: "updateStatus"; readonly active: readonly Pod[]; readonly terminating: readonly Pod[] };

/** Keeps the number of pods right. Upstream's `ReplicaSetController.syncReplicaSet`. */
export function reconcile(observed: Observed): readonly (Action | RequeueAction)[] {
  const { owner, candidates, related, mayManage, nowMs } = observed;
  const actions: (Action | RequeueAction)[] = [];
  const claims = claim(owner, owner.selector, candidates.filter(isPodActive));
  if (claims.adopt.length > 0 || claims.release.length > 0) {
    actions.push({ type: "claim", adopt: claims.adopt, release: claims.release });
  }
  const active = [...claims.keep, ...claims.adopt];
  const terminating = candidates.filter(
    (pod) => isPodTerminating(pod) && !isPodTerminal(pod) && isOwned(pod, owner) && owner.selector.matches(pod.metadata.labels),
  );
  if (mayManage && owner.metadata.deletionTimestamp === undefined) {
    const surplus = active.length - owner.replicas;
    if (surplus < 0) actions.push({ type: "createPods", count: Math.min(-surplus, BURST_REPLICAS) });
    if (surplus > 0) {
      const count = Math.min(surplus, BURST_REPLICAS);
      // Who must all go need no order.
      const ranked = count < active.length ? rankForDeletion(active, related(), nowMs) : active;
      actions.push({ type: "deletePods", pods: ranked.slice(0, count) });
    }
  }
  actions.push({ type: "updateStatus", active, terminating });
  const soonest = nextAvailability(active, owner.minReadySeconds, nowMs);
  if (soonest !== undefined) actions.push({ type: "requeue", afterMs: soonest });
  return actions;
}

function isOwned(pod: Pod, owner: ReplicaOwner): boolean {
  const { uid } = owner.metadata;
  return pod.metadata.ownerReferences?.some((reference) => reference.controller === true && reference.uid === uid) ?? false;
}

/** Milliseconds until the first ready pod becomes available. */
function nextAvailability(pods: readonly Pod[], minReadySeconds: number, nowMs: number): number | undefined {
  if (minReadySeconds === 0) return undefined;
  let soonest: number | undefined;
  for (const pod of pods) {
    const inMs = podAvailableInMs(pod, minReadySeconds, nowMs);
    if (inMs !== undefined && inMs > 0 && inMs < (soonest ?? Number.POSITIVE_INFINITY)) soonest = inMs;
  }
  return soonest;
}
