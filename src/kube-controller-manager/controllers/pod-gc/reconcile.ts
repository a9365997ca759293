import type { Pod } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { isPodTerminal, isPodTerminating } from "#component-helpers/pod/pod-conditions.ts";
import type { RequeueAction } from "../../framework/controller.ts";

/** A node must be missing for this long before its pods are removed: it may only be late. Milliseconds. */
export const NODE_QUARANTINE_MS = 40_000;

/** One pod, or the terminated pods of the whole cluster. */
export type Observed = OnePod | TerminatedPods;

export interface OnePod {
  readonly type: "pod";
  readonly pod: Pod;
  /** How long its node has been missing; undefined when it is there, or when the pod has none. */
  readonly nodeMissingForMs: number | undefined;
}

export interface TerminatedPods {
  readonly type: "terminated";
  readonly pods: readonly Pod[];
  readonly threshold: number;
}

export type Action =
  /** Checks that the node is really gone, marks the pod failed, and deletes it. */
  | { readonly type: "removeOrphan"; readonly pod: Pod; readonly markFailed: boolean }
  | { readonly type: "remove"; readonly pod: Pod };

/** Removes pods that nobody else will: of nodes that are gone, never scheduled, or terminated and too many. */
export function reconcile(observed: Observed): readonly (Action | RequeueAction)[] {
  if (observed.type === "terminated") return surplus(observed);
  const { pod, nodeMissingForMs } = observed;
  if (isPodTerminating(pod) && !pod.spec.nodeName) return [{ type: "remove", pod }];
  if (nodeMissingForMs === undefined) return [];
  if (nodeMissingForMs < NODE_QUARANTINE_MS) return [{ type: "requeue", afterMs: NODE_QUARANTINE_MS - nodeMissingForMs }];
  return [{ type: "removeOrphan", pod, markFailed: !isPodTerminal(pod) }];
}

function surplus({ pods, threshold }: TerminatedPods): readonly Action[] {
  const count = pods.length - threshold;
  if (count <= 0) return [];
  const created = (pod: Pod): number => parseTime(pod.metadata.creationTimestamp) ?? 0;
  return [...pods]
    .sort((a, b) => created(a) - created(b))
    .slice(0, count)
    .map((pod) => ({ type: "remove", pod }));
}
