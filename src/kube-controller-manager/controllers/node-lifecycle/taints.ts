import type { Node, NodeCondition, Taint } from "#api/generated/core/v1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { matchTaint } from "#component-helpers/node/taints.ts";

export const NOT_READY = "node.kubernetes.io/not-ready";
export const UNREACHABLE = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE = "node.kubernetes.io/unschedulable";

/** Condition type and status to the key of the taint that keeps new pods away. */
const TAINT_OF_CONDITION: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: NOT_READY, Unknown: UNREACHABLE },
  MemoryPressure: { True: "node.kubernetes.io/memory-pressure" },
  DiskPressure: { True: "node.kubernetes.io/disk-pressure" },
  NetworkUnavailable: { True: "node.kubernetes.io/network-unavailable" },
  PIDPressure: { True: "node.kubernetes.io/pid-pressure" },
};

const MANAGED_KEYS: ReadonlySet<string> = new Set([
  UNSCHEDULABLE,
  ...Object.values(TAINT_OF_CONDITION).flatMap((byStatus) => Object.values(byStatus)),
]);

/** The condition of a type, if the node has one. */
export function nodeCondition(node: Node, type: string): NodeCondition | undefined {
  return node.status?.conditions?.find((condition) => condition.type === type);
}

/**
 * The taints that a node should have, or undefined when it has them: NoSchedule by conditions and by
 * `spec.unschedulable`, NoExecute for a node that is not ready, unless evictions are stopped.
 */
export function wantedTaints(node: Node, evictionsStopped: boolean, nowMs: number): readonly Taint[] | undefined {
  const existing = node.spec?.taints ?? [];
  const wanted = [...noScheduleTaints(node), ...noExecuteTaints(node, evictionsStopped)];
  const missing = wanted.filter((taint) => !existing.some((other) => matchTaint(other, taint)));
  const kept = existing.filter((taint) => !isManaged(taint) || wanted.some((other) => matchTaint(other, taint)));
  if (missing.length === 0 && kept.length === existing.length) return undefined;
  const timeAdded = formatTime(nowMs);
  return [...kept, ...missing.map((taint) => ({ ...taint, timeAdded }))];
}

function isManaged({ key, effect }: Taint): boolean {
  if (effect === "NoSchedule") return MANAGED_KEYS.has(key);
  return effect === "NoExecute" && (key === NOT_READY || key === UNREACHABLE);
}

function noScheduleTaints(node: Node): Taint[] {
  const keys = (node.status?.conditions ?? []).flatMap(({ type, status }) => TAINT_OF_CONDITION[type]?.[status] ?? []);
  if (node.spec?.unschedulable) keys.push(UNSCHEDULABLE);
  return keys.map((key) => ({ key, effect: "NoSchedule" }));
}

function noExecuteTaints(node: Node, evictionsStopped: boolean): Taint[] {
  if (evictionsStopped) return [];
  const status = nodeCondition(node, "Ready")?.status;
  const key = status === "False" ? NOT_READY : status === "Unknown" ? UNREACHABLE : undefined;
  return key === undefined ? [] : [{ key, effect: "NoExecute" }];
}
