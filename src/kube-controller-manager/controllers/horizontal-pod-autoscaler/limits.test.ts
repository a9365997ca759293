import { describe, expect, test } from "vitest";
import type { HorizontalPodAutoscalerBehavior, HPAScalingRules } from "#api/generated/autoscaling/v2.ts";
import { type History, NO_HISTORY } from "./history.ts";
import { limit } from "./limits.ts";

const NOW = 1_000_000_000;
const ago = (seconds: number): number => NOW - seconds * 1000;
const wanted = (...recent: readonly (readonly [replicas: number, secondsAgo: number])[]): History => ({
  ...NO_HISTORY,
  recommendations: recent.map(([replicas, seconds]) => ({ replicas, atMs: ago(seconds) })),
});
const rules = (given: Partial<HPAScalingRules> = {}): HPAScalingRules => ({
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
  ...given,
});
const behavior = (up: Partial<HPAScalingRules>, down: Partial<HPAScalingRules> = {}): HorizontalPodAutoscalerBehavior => ({
  scaleUp: rules(up),
  scaleDown: rules(down),
});
const PODS_2_PER_MINUTE = { policies: [{ type: "Pods", value: 2, periodSeconds: 60 }] };

interface Row {
  readonly current: number;
  readonly wish: number;
  readonly bounds?: readonly [min: number, max: number];
  readonly history?: History;
  readonly rules?: HorizontalPodAutoscalerBehavior;
  readonly get: number;
  readonly why: readonly [able: string, limited: string];
}

const STEADY = "ReadyForNewScale";

describe("limit", () => {
  test.each<[string, Row]>([
    ["grows within its bounds", { current: 2, wish: 4, get: 4, why: [STEADY, "DesiredWithinRange"] }],
    ["may at most double", { current: 5, wish: 50, get: 10, why: [STEADY, "ScaleUpLimit"] }],
    ["may always reach four", { current: 1, wish: 9, get: 4, why: [STEADY, "ScaleUpLimit"] }],
    ["stays at its maximum", { current: 6, wish: 20, bounds: [1, 8], get: 8, why: [STEADY, "TooManyReplicas"] }],
    ["stays at its minimum", { current: 5, wish: 1, bounds: [3, 8], get: 3, why: [STEADY, "TooFewReplicas"] }],
    [
      "does not shrink below what was wanted lately",
      { current: 5, wish: 2, history: wanted([4, 200], [9, 400]), get: 4, why: ["ScaleDownStabilized", "DesiredWithinRange"] },
    ],
    [
      "adds a number of pods per period",
      { current: 5, wish: 20, rules: behavior(PODS_2_PER_MINUTE), get: 7, why: [STEADY, "ScaleUpLimit"] },
    ],
    [
      "counts what was added in the period",
      {
        current: 6,
        wish: 20,
        rules: behavior(PODS_2_PER_MINUTE),
        history: {
          ...NO_HISTORY,
          ups: [
            { change: 1, atMs: ago(30) },
            { change: 9, atMs: ago(90) },
          ],
        },
        get: 7,
        why: [STEADY, "ScaleUpLimit"],
      },
    ],
    [
      "does not grow where growth is off",
      { current: 5, wish: 6, rules: behavior({ selectPolicy: "Disabled" }), get: 5, why: [STEADY, "ScaleUpLimit"] },
    ],
    [
      "takes the smaller of two policies when told to",
      {
        current: 10,
        wish: 40,
        rules: behavior({
          selectPolicy: "Min",
          policies: [
            { type: "Pods", value: 3, periodSeconds: 60 },
            { type: "Percent", value: 50, periodSeconds: 60 },
          ],
        }),
        get: 13,
        why: [STEADY, "ScaleUpLimit"],
      },
    ],
    [
      "removes a part per period, rounded down",
      {
        current: 7,
        wish: 1,
        rules: behavior({}, { policies: [{ type: "Percent", value: 50, periodSeconds: 60 }] }),
        get: 3,
        why: [STEADY, "ScaleDownLimit"],
      },
    ],
    [
      "grows to the least of the window",
      {
        current: 2,
        wish: 8,
        rules: behavior({ stabilizationWindowSeconds: 60 }),
        history: wanted([3, 30], [1, 90]),
        get: 3,
        why: ["ScaleUpStabilized", "DesiredWithinRange"],
      },
    ],
    [
      "looks back five minutes when a behavior does not say how long",
      {
        current: 6,
        wish: 2,
        rules: { scaleUp: rules(), scaleDown: { selectPolicy: "Max", policies: rules().policies ?? [] } },
        history: wanted([5, 290], [6, 310]),
        get: 5,
        why: ["ScaleDownStabilized", "DesiredWithinRange"],
      },
    ],
  ])("%s", (_name, { current, wish, bounds: [min, max] = [1, 100], history = NO_HISTORY, rules: behavior, get, why }) => {
    const limited = limit({ current, wanted: wish, min, max, behavior, history, nowMs: NOW });
    expect(limited.replicas).toBe(get);
    expect(limited.verdicts.map(({ reason }) => reason)).toEqual(why);
  });

  test("remembers what was wanted, and not what was allowed", () => {
    const limited = limit({
      current: 1,
      wanted: 50,
      min: 1,
      max: 100,
      behavior: undefined,
      history: wanted([2, 400], [3, 100]),
      nowMs: NOW,
    });
    expect(limited.recommendations.map(({ replicas }) => replicas)).toEqual([3, 50]);
  });
});
