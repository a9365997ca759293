import type { HorizontalPodAutoscalerBehavior } from "#api/generated/autoscaling/v2.ts";
import { scaleDownLimit, scaleUpLimit, stabilizationSeconds } from "./behavior.ts";
import type { Verdict } from "./conditions.ts";
import { type History, type Recommendation, remember } from "./history.ts";

/** What the metrics call for, and what bounds it. */
export interface Wish {
  readonly current: number;
  readonly wanted: number;
  readonly min: number;
  readonly max: number;
  readonly behavior: HorizontalPodAutoscalerBehavior | undefined;
  readonly history: History;
  readonly nowMs: number;
}

/** The number of replicas that is allowed now. */
export interface Limited {
  readonly replicas: number;
  readonly verdicts: readonly Verdict[];
  readonly recommendations: readonly Recommendation[];
}

/** Without a behavior a scale-up may double the replicas, and always reach this number. */
const SCALE_UP_FREE = 4;
const SCALE_UP_FACTOR = 2;

const WITHIN = ["DesiredWithinRange", "the desired count is within the acceptable range"] as const;
const TOO_MANY = ["TooManyReplicas", "the desired replica count is more than the maximum replica count"] as const;
const TOO_FEW = ["TooFewReplicas", "the desired replica count is less than the minimum replica count"] as const;
const TOO_FAST_UP = ["ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate"] as const;
const TOO_FAST_DOWN = ["ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate"] as const;
const LOWER_LATELY = "recent recommendations were lower than current one, applying the lowest recent recommendation";
const HIGHER_LATELY = "recent recommendations were higher than current one, applying the highest recent recommendation";

type Why = readonly [reason: string, message: string];

/**
 * Steadies what the metrics call for, then bounds it. Upstream's `normalizeDesiredReplicas` and
 * `normalizeDesiredReplicasWithBehaviors` (KEP-853).
 */
export function limit(wish: Wish): Limited {
  const stable = wish.behavior === undefined ? stabilizeDown(wish) : stabilize(wish);
  const steady: Verdict =
    stable.replicas === wish.wanted ? able("ReadyForNewScale", "recommended size matches current size") : able(...stable.why);
  const bounded = wish.behavior === undefined ? bound(wish, stable.replicas) : boundByRules(wish, stable.replicas);
  const [reason, message] = bounded.why;
  const limited = bounded.replicas === stable.replicas ? "False" : "True";
  const windowMs = 1000 * Math.max(...stabilizationSeconds(wish.behavior));
  return {
    replicas: bounded.replicas,
    verdicts: [steady, { type: "ScalingLimited", status: limited, reason, message }],
    recommendations: remember(wish.history.recommendations, { replicas: wish.wanted, atMs: wish.nowMs }, windowMs),
  };
}

interface Decided {
  readonly replicas: number;
  readonly why: Why;
}

function able(reason: string, message: string): Verdict {
  return { type: "AbleToScale", status: "True", reason, message };
}

/** The highest recommendation of the last minutes. */
function stabilizeDown({ wanted, history, nowMs, behavior }: Wish): Decided {
  const [, downSeconds] = stabilizationSeconds(behavior);
  const recent = history.recommendations.filter(({ atMs }) => atMs >= nowMs - downSeconds * 1000);
  const replicas = Math.max(wanted, ...recent.map((one) => one.replicas));
  return { replicas, why: ["ScaleDownStabilized", HIGHER_LATELY] };
}

/** As near to the current number as all recommendations of both windows allow. */
function stabilize({ wanted, current, history, nowMs, behavior }: Wish): Decided {
  const [upSeconds, downSeconds] = stabilizationSeconds(behavior);
  const within = (seconds: number): readonly number[] =>
    history.recommendations.filter(({ atMs }) => atMs > nowMs - seconds * 1000).map((one) => one.replicas);
  const lowest = Math.min(wanted, ...within(upSeconds));
  const highest = Math.max(wanted, ...within(downSeconds));
  const replicas = Math.min(Math.max(current, lowest), highest);
  return { replicas, why: wanted >= current ? ["ScaleUpStabilized", LOWER_LATELY] : ["ScaleDownStabilized", HIGHER_LATELY] };
}

function bound({ current, min, max }: Wish, wanted: number): Decided {
  const fastest = Math.max(SCALE_UP_FACTOR * current, SCALE_UP_FREE);
  const most = Math.min(max, fastest);
  if (wanted < min) return { replicas: min, why: TOO_FEW };
  if (wanted > most) return { replicas: most, why: max > fastest ? TOO_FAST_UP : TOO_MANY };
  return { replicas: wanted, why: WITHIN };
}

function boundByRules({ current, min, max, behavior = {}, history, nowMs }: Wish, wanted: number): Decided {
  if (wanted > current) {
    const fastest = Math.max(current, scaleUpLimit(current, history, behavior.scaleUp, nowMs));
    const most = Math.min(max, fastest);
    if (wanted > most) return { replicas: most, why: max > fastest ? TOO_FAST_UP : TOO_MANY };
  } else if (wanted < current) {
    const fastest = Math.min(current, scaleDownLimit(current, history, behavior.scaleDown, nowMs));
    const least = Math.max(min, fastest);
    if (wanted < least) return { replicas: least, why: min < fastest ? TOO_FAST_DOWN : TOO_FEW };
  }
  return { replicas: wanted, why: WITHIN };
}
