import type { HorizontalPodAutoscalerCondition } from "#api/generated/autoscaling/v2.ts";
import { formatTime } from "#apimachinery/meta/time.ts";

/** What is said about one aspect of an autoscaler. */
export interface Verdict {
  readonly type: "AbleToScale" | "ScalingActive" | "ScalingLimited";
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

/** The list with one condition replaced or added; its time moves only with its status. Upstream's `setConditionInList`. */
export function withVerdict(
  conditions: readonly HorizontalPodAutoscalerCondition[],
  { type, status, reason, message }: Verdict,
  nowMs: number,
): readonly HorizontalPodAutoscalerCondition[] {
  const old = conditions.find((condition) => condition.type === type);
  const since = old?.status === status ? old.lastTransitionTime : formatTime(nowMs);
  const now = { type, status, ...(since === undefined ? {} : { lastTransitionTime: since }), reason, message };
  return old === undefined ? [...conditions, now] : conditions.map((condition) => (condition === old ? now : condition));
}
