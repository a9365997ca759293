import type { Pod } from "#api/generated/core/v1.ts";
import { isPodActive, readyAvailableInMs } from "#component-helpers/pod/pod-conditions.ts";
import type { RequeueAction } from "../../framework/controller.ts";
import { type Claims, claim } from "../../framework/ownership.ts";
import { chooseForDeletion } from "./deletion-rank.ts";
import { groupPods, type PodGroup } from "./pod-census.ts";
import type { ReplicaOwner } from "./replica-owner.ts";

/** Pods created or deleted in one pass; the rest follows in the next. */
export const BURST_REPLICAS = 500;

/** What the decision depends on. */
export interface Observed {
  readonly owner: ReplicaOwner;
  /** Pods that the owner controls, counted by their labels; with times when it has `minReadySeconds`. */
  readonly groups: readonly PodGroup[];
  /** The same one by one: for when some have to go. */
  readonly owned: () => readonly Pod[];
  /** Pods of its namespace that nobody controls; those that its selector cannot match may be left out. */
  readonly orphans: readonly Pod[];
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
  /** The pods that are the owner's now, counted. */
  | { readonly type: "updateStatus"; readonly groups: readonly PodGroup[] };

/** Keeps the number of pods right. Upstream's `ReplicaSetController.syncReplicaSet`. */
export function reconcile(observed: Observed): readonly (Action | RequeueAction)[] {
  const { owner, mayManage, nowMs } = observed;
  const actions: (Action | RequeueAction)[] = [];
  const claims = claimPods(observed);
  if (claims.adopt.length > 0 || claims.release.length > 0) actions.push({ type: "claim", ...claims });
  const kept = observed.groups.filter(({ labels }) => owner.selector.matches(labels));
  const groups = claims.adopt.length === 0 ? kept : [...kept, ...groupPods(claims.adopt)];
  if (mayManage && owner.metadata.deletionTimestamp === undefined) {
    const active = groups.reduce((total, group) => total + group.active, 0);
    const surplus = active - owner.replicas;
    if (surplus < 0) actions.push({ type: "createPods", count: Math.min(-surplus, BURST_REPLICAS) });
    if (surplus > 0)
      actions.push({ type: "deletePods", pods: choose(observed, claims.adopt, Math.min(surplus, BURST_REPLICAS)) });
  }
  actions.push({ type: "updateStatus", groups });
  const soonest = nextAvailability(groups, owner.minReadySeconds, nowMs);
  if (soonest !== undefined) actions.push({ type: "requeue", afterMs: soonest });
  return actions;
}

/** Pods to be taken over, and those to be let go because the selector no longer wants them. */
function claimPods({ owner, groups, owned, orphans }: Observed): Pick<Claims<Pod>, "adopt" | "release"> {
  const misfits = groups.some(({ active, labels }) => active > 0 && !owner.selector.matches(labels));
  if (!misfits && orphans.length === 0) return { adopt: [], release: [] };
  const candidates = misfits ? [...owned(), ...orphans] : orphans;
  const { adopt, release } = claim(owner, owner.selector, candidates.filter(isPodActive));
  return { adopt, release };
}

function choose({ owner, owned, related, nowMs }: Observed, adopted: readonly Pod[], count: number): readonly Pod[] {
  const kept = owned().filter((pod) => isPodActive(pod) && owner.selector.matches(pod.metadata.labels));
  const active = [...kept, ...adopted];
  // Who must all go need no order.
  return count < active.length ? chooseForDeletion(active, related(), count, nowMs) : active;
}

/** Milliseconds until the first ready pod becomes available. */
function nextAvailability(groups: readonly PodGroup[], minReadySeconds: number, nowMs: number): number | undefined {
  if (minReadySeconds === 0) return undefined;
  let soonest: number | undefined;
  for (const { readySince } of groups) {
    for (const since of readySince.keys()) {
      const inMs = readyAvailableInMs(since, minReadySeconds, nowMs);
      if (inMs !== undefined && inMs > 0 && inMs < (soonest ?? Number.POSITIVE_INFINITY)) soonest = inMs;
    }
  }
  return soonest;
}
