import type { DaemonSet } from "#api/generated/apps/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import {
  isPodAvailable,
  isPodReady,
  isPodTerminal,
  isPodTerminating,
  podAvailableInMs,
} from "#component-helpers/pod/pod-conditions.ts";
import { byAssignmentAndAge, isUpToDate, REVISION_HASH } from "./daemon-pods.ts";
import type { Eligibility } from "./eligibility.ts";
import { allowsSurge } from "./rolling-update.ts";

/** A node as a set sees it. */
export interface DaemonNode {
  readonly name: string;
  /** Undefined where no such node is known. */
  readonly eligibility: Eligibility | undefined;
  /** The set's pods that are there, or meant for it. */
  readonly pods: readonly Pod[];
}

/**
 * What a rolling update has before it on a node, by the old and the new pod that run there: `outdated` and `broken` have an old one
 * alone, which is available or not; `updating` has a new one alone that is not available yet; `surging` and `surged` have both, the new
 * one not available yet, or so; `none` has neither, and `unclear` more than one of a kind.
 */
export type Stand = "outdated" | "broken" | "updating" | "surging" | "surged" | "none" | "unclear";

/** What one node counts for in the status of a set. */
export interface NodeCounts {
  readonly desired: boolean;
  readonly current: boolean;
  readonly misscheduled: boolean;
  readonly ready: boolean;
  readonly available: boolean;
  readonly updated: boolean;
}

/** All that one node comes to for a set: nothing of another node matters to it. */
export interface NodeShare extends NodeCounts {
  readonly node: string;
  /** Pods that are not to be there: misplaced, or too many. */
  readonly surplus: readonly Pod[];
  /** Pods that have failed or succeeded where one is to run. */
  readonly ended: readonly Pod[];
  /** Undefined where nothing is left to be updated. */
  readonly stand: Stand | undefined;
  /** The one that an update replaces. */
  readonly oldPod: Pod | undefined;
  /** Until then time alone changes nothing; undefined: not at all. Milliseconds since the Unix epoch. */
  readonly changesAtMs: number | undefined;
}

/** Looks at one node. `hash` is that of the set's present template. */
export function shareOf(set: DaemonSet, hash: string, node: DaemonNode, nowMs: number): NodeShare {
  const { name, pods, eligibility } = node;
  const living = pods.every(isPodTerminating) ? NO_PODS : pods.filter((pod) => !isPodTerminating(pod));
  return {
    node: name,
    ...countsOf(set, hash, node, nowMs),
    ...leftoversOf(set, hash, living, eligibility, nowMs),
    ...updateOf(set, hash, living, pods.length > 0 || eligibility?.shouldRun === true, nowMs),
    changesAtMs: nextChange(set, pods, nowMs),
  };
}

const NO_PODS: readonly Pod[] = [];

/** Only the oldest pod of a node counts, and on nodes that are known. */
function countsOf(set: DaemonSet, hash: string, { pods, eligibility }: DaemonNode, nowMs: number): NodeCounts {
  const desired = eligibility?.shouldRun === true;
  const oldest = pods.length > 1 ? [...pods].sort(byAssignmentAndAge)[0] : pods[0];
  const counted = desired ? oldest : undefined;
  return {
    desired,
    current: counted !== undefined,
    misscheduled: eligibility !== undefined && !desired && oldest !== undefined,
    ready: counted !== undefined && isPodReady(counted),
    available: counted !== undefined && isAvailable(set, counted, nowMs),
    updated: counted !== undefined && isUpToDate(set, counted, hash),
  };
}

/** Upstream's `podsShouldBeOnNode`, but for the nodes that lack a pod. */
function leftoversOf(
  set: DaemonSet,
  hash: string,
  living: readonly Pod[],
  eligibility: Eligibility | undefined,
  nowMs: number,
): Pick<NodeShare, "surplus" | "ended"> {
  if (living.length === 0) return { surplus: NO_PODS, ended: NO_PODS };
  // A pod for a node that is gone is never bound, so that nobody else removes it.
  if (eligibility === undefined) return { surplus: living.filter(({ spec }) => !spec.nodeName), ended: NO_PODS };
  if (!eligibility.mayStay) return { surplus: living, ended: NO_PODS };
  const ended = living.some(isPodTerminal) ? living.filter(isPodTerminal) : NO_PODS;
  const running = ended.length === 0 ? living : living.filter((pod) => !isPodTerminal(pod));
  return { surplus: surplusOf(set, hash, running, nowMs), ended };
}

/** More pods than a node is to have: all but the oldest; while it surges, all but one old ready and one new unready one. */
function surplusOf(set: DaemonSet, hash: string, running: readonly Pod[], nowMs: number): readonly Pod[] {
  if (running.length <= 1) return NO_PODS;
  const oldestFirst = [...running].sort(byAssignmentAndAge);
  if (!allowsSurge(set)) return oldestFirst.slice(1);
  const newPod = oldestFirst.find(({ metadata }) => metadata.labels?.[REVISION_HASH] === hash);
  const oldPod = oldestFirst.find(({ metadata }) => metadata.labels?.[REVISION_HASH] !== hash);
  const surplus = oldestFirst.filter((pod) => pod !== newPod && pod !== oldPod);
  if (newPod !== undefined && oldPod !== undefined) {
    const isReplaced = !isPodReady(oldPod) || isAvailable(set, newPod, nowMs);
    if (isReplaced) surplus.push(oldPod);
  }
  return surplus;
}

/** Upstream's `findUpdatedPodsOnNode`, and what `rollingUpdate` makes of it. */
function updateOf(
  set: DaemonSet,
  hash: string,
  living: readonly Pod[],
  takesPart: boolean,
  nowMs: number,
): Pick<NodeShare, "stand" | "oldPod"> {
  if (!takesPart) return { stand: undefined, oldPod: undefined };
  let newPod: Pod | undefined;
  let oldPod: Pod | undefined;
  for (const pod of living) {
    const isNew = isUpToDate(set, pod, hash);
    if ((isNew ? newPod : oldPod) !== undefined) return { stand: "unclear", oldPod: undefined };
    if (isNew) newPod = pod;
    else oldPod = pod;
  }
  if (newPod === undefined) {
    if (oldPod === undefined) return { stand: "none", oldPod };
    return { stand: isAvailable(set, oldPod, nowMs) ? "outdated" : "broken", oldPod };
  }
  const done = isAvailable(set, newPod, nowMs);
  if (oldPod !== undefined) return { stand: done ? "surged" : "surging", oldPod };
  return { stand: done ? undefined : "updating", oldPod };
}

function isAvailable(set: DaemonSet, pod: Pod, nowMs: number): boolean {
  return isPodAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs);
}

/** When the next ready pod becomes available. */
function nextChange(set: DaemonSet, pods: readonly Pod[], nowMs: number): number | undefined {
  const { minReadySeconds = 0 } = set.spec;
  if (minReadySeconds === 0) return undefined;
  let next: number | undefined;
  for (const pod of pods) {
    // From the epoch on: the very time.
    const atMs = podAvailableInMs(pod, minReadySeconds, 0);
    if (atMs !== undefined && atMs > nowMs && atMs < (next ?? Number.POSITIVE_INFINITY)) next = atMs;
  }
  return next;
}
