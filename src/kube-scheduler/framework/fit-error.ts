import type { Status } from "./status.ts";

/** Why a pod fits nowhere. */
export interface Diagnosis {
  /** All nodes there are. */
  readonly nodeCount: number;
  /** The verdict on each node that was looked at. */
  readonly nodeStatuses: ReadonlyMap<string, Status>;
  /** The verdict on all other nodes, if one was reached without looking at them. */
  readonly absentNodesStatus?: Status;
  /** Set when a plugin rejected the pod whatever the node. */
  readonly preFilterMessage?: string;
  /** Plugins that said no: their events bring the pod back into the queue. */
  readonly rejectors: ReadonlySet<string>;
  /** What making room came to. */
  postFilterMessage?: string;
}

/** The text users see: how many nodes, and how often each reason. Upstream's `FitError.Error`. */
export function fitErrorMessage(diagnosis: Diagnosis): string {
  let message = `0/${diagnosis.nodeCount} nodes are available:`;
  if (diagnosis.preFilterMessage) message += ` ${diagnosis.preFilterMessage}.`;
  else {
    const reasons = countReasons(diagnosis);
    if (reasons.length > 0) message += ` ${reasons.join(", ")}.`;
  }
  if (diagnosis.postFilterMessage) message += ` ${diagnosis.postFilterMessage}`;
  return message;
}

function countReasons({ nodeStatuses, absentNodesStatus, nodeCount }: Diagnosis): string[] {
  const counts = new Map<string, number>();
  const count = (reason: string, nodes: number): void => void counts.set(reason, (counts.get(reason) ?? 0) + nodes);
  for (const { reasons } of nodeStatuses.values()) for (const reason of reasons) count(reason, 1);
  const absent = nodeCount - nodeStatuses.size;
  if (absent > 0) for (const reason of absentNodesStatus?.reasons ?? []) count(reason, absent);
  // The order is that of the whole text, numbers included.
  return [...counts].map(([reason, nodes]) => `${nodes} ${reason}`).sort(byBytes);
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
