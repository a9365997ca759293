import type { Node, NodeCondition, Pod, Taint } from "#api/generated/core/v1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { isPodReady } from "#component-helpers/pod/pod-conditions.ts";
import type { RequeueAction } from "../../framework/controller.ts";
import { nodeCondition, wantedTaints } from "./taints.ts";

/** What the decision depends on. */
export interface Observed {
  readonly node: Node;
  /** Seen for the first time. */
  readonly isNew: boolean;
  /** Milliseconds since the node's heartbeat or Lease was last seen to change. */
  readonly silentForMs: number;
  readonly monitorGracePeriodMs: number;
  readonly startupGracePeriodMs: number;
  /** No node of the cluster is ready: rather the control plane is cut off than everything broken. */
  readonly evictionsStopped: boolean;
  /** The pods to mark, when the node has just become not ready. */
  readonly podsToMark: readonly Pod[];
  readonly nowMs: number;
}

export type Action =
  | { readonly type: "register"; readonly node: Node }
  | { readonly type: "updateConditions"; readonly node: Node; readonly conditions: readonly NodeCondition[] }
  | { readonly type: "updateTaints"; readonly node: Node; readonly taints: readonly Taint[] }
  | { readonly type: "label"; readonly node: Node; readonly labels: Readonly<Record<string, string>> }
  | { readonly type: "markPodsNotReady"; readonly node: Node; readonly pods: readonly Pod[] };

/** Conditions that a silent node can no longer vouch for. */
const REPORTED_CONDITIONS = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] as const;

/** Old names of labels that are kept equal to the new ones. */
const LEGACY_LABELS: Readonly<Record<string, string>> = {
  "kubernetes.io/arch": "beta.kubernetes.io/arch",
  "kubernetes.io/os": "beta.kubernetes.io/os",
};

/** Watches over one node: its heartbeat, its taints, the readiness of its pods. */
export function reconcile(observed: Observed): readonly (Action | RequeueAction)[] {
  const { node, podsToMark, nowMs } = observed;
  const actions: (Action | RequeueAction)[] = [];
  if (observed.isNew) actions.push({ type: "register", node });
  const labels = missingLabels(node);
  if (Object.keys(labels).length > 0) actions.push({ type: "label", node, labels });
  const ready = nodeCondition(node, "Ready");
  const graceMs = ready === undefined ? observed.startupGracePeriodMs : observed.monitorGracePeriodMs;
  if (observed.silentForMs >= graceMs) {
    const conditions = unknownConditions(node, nowMs);
    if (conditions !== undefined) return [...actions, { type: "updateConditions", node, conditions }];
  } else actions.push({ type: "requeue", afterMs: graceMs - observed.silentForMs });
  const taints = wantedTaints(node, observed.evictionsStopped, nowMs);
  if (taints !== undefined) actions.push({ type: "updateTaints", node, taints });
  const marked = podsToMark.filter(isPodReady);
  if (marked.length > 0) actions.push({ type: "markPodsNotReady", node, pods: marked });
  return actions;
}

/** The node's conditions with what nobody vouches for set to Unknown; undefined when they are already. */
function unknownConditions(node: Node, nowMs: number): readonly NodeCondition[] | undefined {
  const now = formatTime(nowMs);
  const conditions = [...(node.status?.conditions ?? [])];
  let changed = false;
  for (const type of REPORTED_CONDITIONS) {
    const at = conditions.findIndex((condition) => condition.type === type);
    const old = conditions[at];
    if (old === undefined) {
      changed = true;
      conditions.push({
        type,
        status: "Unknown",
        reason: "NodeStatusNeverUpdated",
        message: "Kubelet never posted node status.",
        lastHeartbeatTime: node.metadata.creationTimestamp ?? now,
        lastTransitionTime: now,
      });
    } else if (old.status !== "Unknown") {
      changed = true;
      const message = "Kubelet stopped posting node status.";
      conditions[at] = { ...old, status: "Unknown", reason: "NodeStatusUnknown", message, lastTransitionTime: now };
    }
  }
  return changed ? conditions : undefined;
}

function missingLabels(node: Node): Readonly<Record<string, string>> {
  const labels = node.metadata.labels ?? {};
  const missing: Record<string, string> = {};
  for (const [name, legacy] of Object.entries(LEGACY_LABELS)) {
    const value = labels[name];
    if (value !== undefined && labels[legacy] !== value) missing[legacy] = value;
  }
  return missing;
}
