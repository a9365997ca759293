import type { DaemonSet } from "#api/generated/apps/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { scaledIntOrPercent } from "#apimachinery/meta/int-or-string.ts";
import { isPodAvailable, isPodTerminating } from "#component-helpers/pod/pod-conditions.ts";
import { isUpToDate } from "./daemon-pods.ts";

/** Pods to delete, and nodes to put a second pod on. */
export interface PodChanges {
  readonly remove: readonly Pod[];
  readonly addOn: readonly string[];
}

/** Old pods make way for new ones on as many nodes as may be disturbed at a time. Upstream's `rollingUpdate`. */
export function rollingUpdate(
  set: DaemonSet,
  byNode: Iterable<readonly [string, readonly Pod[]]>,
  desired: number,
  hash: string,
  nowMs: number,
): PodChanges {
  const { maxSurge, maxUnavailable } = limits(set, desired);
  const isAvailable = (pod: Pod): boolean => isPodAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs);
  const nodes = [...byNode].map(([node, pods]) => ({ node, ...split(set, pods, hash) }));
  if (maxSurge === 0) {
    let unavailable = 0;
    const broken: Pod[] = [];
    const candidates: Pod[] = [];
    for (const { newPod, oldPod, clear } of nodes) {
      // Neither or both: the next pass puts that right.
      if (!clear || (newPod === undefined) === (oldPod === undefined)) unavailable++;
      else if (newPod !== undefined) unavailable += isAvailable(newPod) ? 0 : 1;
      else if (oldPod !== undefined) {
        if (isAvailable(oldPod)) candidates.push(oldPod);
        else {
          broken.push(oldPod);
          unavailable++;
        }
      }
    }
    return { remove: [...broken, ...candidates.slice(0, Math.max(0, maxUnavailable - unavailable))], addOn: [] };
  }
  let surge = 0;
  const remove: Pod[] = [];
  const broken: string[] = [];
  const candidates: string[] = [];
  for (const { node, newPod, oldPod, clear } of nodes) {
    if (!clear) surge++;
    else if (oldPod === undefined) continue;
    else if (newPod === undefined) (isAvailable(oldPod) ? candidates : broken).push(node);
    else if (isAvailable(newPod)) remove.push(oldPod);
    else surge++;
  }
  return { remove, addOn: [...broken, ...candidates.slice(0, Math.max(0, maxSurge - surge))] };
}

function limits(set: DaemonSet, desired: number): { maxSurge: number; maxUnavailable: number } {
  const { type, rollingUpdate: rolling } = set.spec.updateStrategy ?? {};
  if (type !== "RollingUpdate") return { maxSurge: 0, maxUnavailable: 0 };
  const maxSurge = scaledIntOrPercent(rolling?.maxSurge ?? 0, desired, true);
  const maxUnavailable = scaledIntOrPercent(rolling?.maxUnavailable ?? 1, desired, true);
  // Nothing would ever be updated.
  return { maxSurge, maxUnavailable: desired > 0 && maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable };
}

/** Whether a set runs a new pod beside the old one. */
export function allowsSurge(set: DaemonSet): boolean {
  const { type, rollingUpdate: rolling } = set.spec.updateStrategy ?? {};
  return type === "RollingUpdate" && scaledIntOrPercent(rolling?.maxSurge ?? 0, 100, true) > 0;
}

/** The one new and the one old pod of a node; not `clear` when there are more. */
function split(
  set: DaemonSet,
  pods: readonly Pod[],
  hash: string,
): { newPod: Pod | undefined; oldPod: Pod | undefined; clear: boolean } {
  const living = pods.filter((pod) => !isPodTerminating(pod));
  const newPods = living.filter((pod) => isUpToDate(set, pod, hash));
  const oldPods = living.filter((pod) => !newPods.includes(pod));
  return { newPod: newPods[0], oldPod: oldPods[0], clear: newPods.length <= 1 && oldPods.length <= 1 };
}
