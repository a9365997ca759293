import type { StatefulSet } from "#api/generated/apps/v1.ts";
import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { scaledIntOrPercent } from "#apimachinery/meta/int-or-string.ts";
import { isPodAvailable, isPodTerminal, isPodTerminating } from "#component-helpers/pod/pod-conditions.ts";
import { deletesWhenScaled, isStaleClaimOf, ownersUpToDate } from "./claim-retention.ts";
import { claimsOf, storageMatches } from "./claims.ts";
import type { History } from "./history.ts";
import { identityMatches, isInOrdinalRange, ordinalOf, startOrdinal, wantedReplicas } from "./identity.ts";
import { newMember } from "./new-pods.ts";
import { isCreated, isRunningAndReady, isUnavailable, podRevision } from "./pod-state.ts";

/** One thing to do about one pod. */
export type PodStep =
  /** Its claims come first. */
  | { readonly type: "create"; readonly pod: Pod }
  | { readonly type: "delete"; readonly pod: Pod }
  /** Put identity, volumes and the owners of claims right. */
  | { readonly type: "update"; readonly pod: Pod }
  /** Make claims that are missing, and put their owners right. */
  | { readonly type: "ensureClaims"; readonly pod: Pod }
  /** Put the owners of claims right. */
  | { readonly type: "claimOwners"; readonly pod: Pod };

/** What is to be done, phase after phase; a failure ends it. */
export interface Plan {
  /** For each pod its steps. One pod after the other, or all together: see {@link isMonotonic}. */
  readonly phases: readonly (readonly (readonly PodStep[])[])[];
  /** To be deleted afterwards so that they come back updated. */
  readonly outdated: readonly Pod[];
  /** The pods that count in the status. */
  readonly counted: readonly Pod[];
}

/** What the plan depends on. */
export interface PlanInput {
  readonly set: StatefulSet;
  readonly history: History;
  readonly pods: readonly Pod[];
  readonly claim: (name: string) => PersistentVolumeClaim | undefined;
  readonly nowMs: number;
}

interface Verdict {
  readonly steps: readonly PodStep[];
  /** Nothing further may happen, where pods come and go in order. */
  readonly blocks: boolean;
}

/** Whether pods are made and deleted one by one, in the order of their ordinals. */
export function isMonotonic({ spec }: StatefulSet): boolean {
  return spec.podManagementPolicy !== "Parallel";
}

/** Upstream's `updateStatefulSet`. */
export function plan(input: PlanInput): Plan {
  const { set, history, pods, nowMs } = input;
  if (set.metadata.deletionTimestamp !== undefined) return { phases: [], outdated: [], counted: pods };
  const { replicas, condemned } = partition(set, history, pods);
  const counted = [...replicas, ...condemned];
  const lowestFirst = [...replicas, ...[...condemned].reverse()];
  const firstUnavailable = lowestFirst.find((pod) => isUnavailable(pod, set.spec.minReadySeconds ?? 0, nowMs));
  const phases: (readonly (readonly PodStep[])[])[] = [];
  const passes: [readonly Pod[], (pod: Pod) => Verdict][] = [
    [replicas, (pod) => considerReplica(input, pod)],
    [condemned, (pod) => ({ steps: claimsMatch(input, pod) ? [] : [{ type: "claimOwners", pod }], blocks: false })],
    [condemned, (pod) => considerCondemned(input, pod, firstUnavailable)],
  ];
  for (const [list, consider] of passes) {
    const { steps, blocked } = collect(list, consider, isMonotonic(set));
    phases.push(steps);
    if (blocked) return { phases, outdated: [], counted };
  }
  return { phases, outdated: outdatedPods(input, replicas), counted };
}

/**
 * Members in the order of their ordinals, missing ones newly made, and surplus ones, highest first. Where one waits for the other only
 * the first that is missing is made: it comes before the rest.
 */
function partition(set: StatefulSet, { current, update }: History, pods: readonly Pod[]): { replicas: Pod[]; condemned: Pod[] } {
  const start = startOrdinal(set);
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(pod), pod]));
  const makeable = isMonotonic(set) ? 1 : Number.POSITIVE_INFINITY;
  const replicas: Pod[] = [];
  let made = 0;
  for (let ordinal = start; ordinal < start + wantedReplicas(set); ordinal++) {
    const there = byOrdinal.get(ordinal);
    if (there !== undefined) replicas.push(there);
    else if (made++ < makeable) replicas.push(newMember(set, current, update, ordinal));
  }
  const condemned = pods.filter((pod) => ordinalOf(pod) >= 0 && !isInOrdinalRange(set, pod));
  return { replicas, condemned: condemned.sort((a, b) => ordinalOf(b) - ordinalOf(a)) };
}

function collect(
  pods: readonly Pod[],
  consider: (pod: Pod) => Verdict,
  monotonic: boolean,
): { steps: (readonly PodStep[])[]; blocked: boolean } {
  const steps: (readonly PodStep[])[] = [];
  for (const pod of pods) {
    const verdict = consider(pod);
    if (verdict.steps.length > 0) steps.push(verdict.steps);
    if (monotonic && verdict.blocks) return { steps, blocked: true };
  }
  return { steps, blocked: false };
}

function considerReplica(input: PlanInput, pod: Pod): Verdict {
  const { set, nowMs } = input;
  // However it ended, it is to run; the next one is made when this one is gone.
  if (isPodTerminal(pod)) return { steps: isPodTerminating(pod) ? [] : [{ type: "delete", pod }], blocks: true };
  if (!isCreated(pod)) return { steps: hasStaleClaim(input, pod) ? [] : [{ type: "create", pod }], blocks: true };
  const steps: PodStep[] = [];
  if (pod.status?.phase === "Pending" && (set.spec.volumeClaimTemplates ?? []).length > 0) {
    steps.push({ type: "ensureClaims", pod });
  }
  const isSteady = !isPodTerminating(pod) && isRunningAndReady(pod) && isPodAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs);
  if (isMonotonic(set) && !isSteady) return { steps, blocks: true };
  const matches = identityMatches(set, pod) && storageMatches(set, pod) && claimsMatch(input, pod);
  if (!matches) steps.push({ type: "update", pod });
  return { steps, blocks: false };
}

function considerCondemned({ set, nowMs }: PlanInput, pod: Pod, firstUnavailable: Pod | undefined): Verdict {
  if (isPodTerminating(pod)) return { steps: [], blocks: true };
  const isSteady = isRunningAndReady(pod) && isPodAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs);
  // Unless it is itself the one that all wait for.
  if (isMonotonic(set) && !isSteady && pod !== firstUnavailable) return { steps: [], blocks: true };
  return { steps: [{ type: "delete", pod }], blocks: true };
}

function outdatedPods({ set, history, nowMs }: PlanInput, replicas: readonly Pod[]): readonly Pod[] {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  if (type === "OnDelete") return [];
  const isOutdated = (pod: Pod): boolean => podRevision(pod) !== history.update.metadata.name && !isPodTerminating(pod);
  const isDown = (pod: Pod): boolean => isUnavailable(pod, set.spec.minReadySeconds ?? 0, nowMs);
  const highestFirst = replicas.slice(rollingUpdate?.partition ?? 0).reverse();
  const { maxUnavailable } = rollingUpdate ?? {};
  if (maxUnavailable !== undefined) {
    // KEP-961. A small percentage would be none at all.
    const allowed = Math.max(1, scaledIntOrPercent(maxUnavailable, wantedReplicas(set), false));
    return highestFirst.filter(isOutdated).slice(0, Math.max(0, allowed - replicas.filter(isDown).length));
  }
  for (const pod of highestFirst) {
    if (isOutdated(pod)) return [pod];
    if (isDown(pod)) return [];
  }
  return [];
}

function claimsMatch({ set, claim }: PlanInput, pod: Pod): boolean {
  for (const { metadata } of claimsOf(set, pod).values()) {
    const there = claim(metadata.name ?? "");
    if (there !== undefined && !ownersUpToDate(set, pod, there)) return false;
  }
  return true;
}

function hasStaleClaim({ set, claim }: PlanInput, pod: Pod): boolean {
  if (!deletesWhenScaled(set)) return false;
  return [...claimsOf(set, pod).values()].some(({ metadata }) => {
    const there = claim(metadata.name ?? "");
    return there !== undefined && isStaleClaimOf(pod, there);
  });
}
