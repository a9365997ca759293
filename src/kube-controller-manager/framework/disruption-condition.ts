import type { Pod } from "#api/generated/core/v1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { Client } from "#client/client.ts";
import { podCondition } from "#component-helpers/pod/pod-conditions.ts";
import { PODS } from "./resources.ts";

/** Says on the pod why it is about to be deleted (KEP-3329). */
export async function writeDisruptionCondition(
  client: Client,
  pod: Pod,
  reason: string,
  message: string,
  nowMs: number,
  phase?: string,
): Promise<void> {
  const old = podCondition(pod, "DisruptionTarget");
  if (old?.status === "True" && old.reason === reason && phase === undefined) return;
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason,
    message,
    lastTransitionTime: old?.status === "True" ? old.lastTransitionTime : formatTime(nowMs),
    observedGeneration: pod.metadata.generation ?? 0,
  };
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== condition.type);
  // A patch puts new items first unless it names the order.
  const order = old === undefined ? [...others, condition] : (pod.status?.conditions ?? []);
  const patch = {
    metadata: { uid: pod.metadata.uid },
    status: {
      ...(phase === undefined ? {} : { phase }),
      "$setElementOrder/conditions": order.map(({ type }) => ({ type })),
      conditions: [condition],
    },
  };
  const { namespace = "", name = "" } = pod.metadata;
  await client.patch(PODS, namespace, name, "application/strategic-merge-patch+json", patch, { subresource: "status" });
}
