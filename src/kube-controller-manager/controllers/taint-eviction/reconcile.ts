import type { Node, Pod, Taint, Toleration } from "#api/generated/core/v1.ts";
import { toleratesTaint } from "#component-helpers/node/taints.ts";
import type { RequeueAction } from "../../framework/controller.ts";

/** What the decision depends on. */
export interface Observed {
  readonly pod: Pod;
  /** Undefined when it is gone: then nothing taints it. */
  readonly node: Node | undefined;
  /** When the pod first had to tolerate its node's taints; undefined if it does not yet. */
  readonly toleratingSinceMs: number | undefined;
  readonly nowMs: number;
}

export type Action =
  | { readonly type: "evict"; readonly pod: Pod }
  /** Starts the time that tolerations allow. */
  | { readonly type: "startTolerating"; readonly pod: Pod }
  /** The taints are gone, or tolerated for good. */
  | { readonly type: "stopTolerating"; readonly pod: Pod };

/** Deletes pods from nodes with NoExecute taints that they do not tolerate, or no longer. */
export function reconcile({ pod, node, toleratingSinceMs, nowMs }: Observed): readonly (Action | RequeueAction)[] {
  const allowedMs = toleratedForMs(noExecuteTaints(node), pod.spec.tolerations ?? []);
  if (allowedMs === Number.POSITIVE_INFINITY) return toleratingSinceMs === undefined ? [] : [{ type: "stopTolerating", pod }];
  if (pod.metadata.deletionTimestamp !== undefined) return [];
  const sinceMs = toleratingSinceMs ?? nowMs;
  const leftMs = sinceMs + allowedMs - nowMs;
  if (leftMs <= 0) return [{ type: "evict", pod }];
  const wait: RequeueAction = { type: "requeue", afterMs: leftMs };
  return toleratingSinceMs === undefined ? [{ type: "startTolerating", pod }, wait] : [wait];
}

/** The taints that drive pods away. */
export function noExecuteTaints(node: Node | undefined): readonly Taint[] {
  return (node?.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");
}

/** The least that any toleration in use allows; 0 when a taint is not tolerated at all. */
function toleratedForMs(taints: readonly Taint[], tolerations: readonly Toleration[]): number {
  let leastMs = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    const matching = tolerations.find((toleration) => toleratesTaint(toleration, taint));
    if (matching === undefined) return 0;
    const seconds = matching.tolerationSeconds;
    if (seconds !== undefined) leastMs = Math.min(leastMs, Math.max(0, seconds) * 1000);
  }
  return leastMs;
}
