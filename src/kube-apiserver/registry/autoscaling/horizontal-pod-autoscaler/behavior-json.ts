import type * as v2 from "#api/generated/autoscaling/v2.ts";
import { isMap } from "#apimachinery/patch/json-map.ts";

/** A behavior as its annotation in `autoscaling/v1` holds it: upstream's internal type, with Go's names for the fields. */
export function behaviorToJson({ scaleUp, scaleDown }: v2.HorizontalPodAutoscalerBehavior): string {
  return JSON.stringify({ ScaleUp: rulesToJson(scaleUp), ScaleDown: rulesToJson(scaleDown) });
}

function rulesToJson(rules: v2.HPAScalingRules | undefined): object | null {
  if (rules === undefined) return null;
  return {
    StabilizationWindowSeconds: rules.stabilizationWindowSeconds ?? null,
    SelectPolicy: rules.selectPolicy ?? null,
    Policies:
      rules.policies?.map(({ type, value, periodSeconds }) => ({ Type: type, Value: value, PeriodSeconds: periodSeconds })) ??
      null,
    Tolerance: rules.tolerance ?? null,
  };
}

/** The inverse of {@link behaviorToJson}; undefined for what upstream cannot read, and for nothing. */
export function behaviorFromJson(text: string): v2.HorizontalPodAutoscalerBehavior | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isMap(value)) return undefined;
  const scaleUp = rulesFromJson(field(value, "ScaleUp"));
  const scaleDown = rulesFromJson(field(value, "ScaleDown"));
  if (scaleUp === "wrong" || scaleDown === "wrong" || (!scaleUp && !scaleDown)) return undefined;
  return { ...(scaleUp && { scaleUp }), ...(scaleDown && { scaleDown }) };
}

function rulesFromJson(value: unknown): v2.HPAScalingRules | undefined | "wrong" {
  if (value === undefined || value === null) return undefined;
  if (!isMap(value)) return "wrong";
  const seconds = field(value, "StabilizationWindowSeconds") ?? undefined;
  const selectPolicy = field(value, "SelectPolicy") ?? undefined;
  const list = field(value, "Policies") ?? undefined;
  const tolerance = field(value, "Tolerance") ?? undefined;
  if (seconds !== undefined && !Number.isInteger(seconds)) return "wrong";
  if (selectPolicy !== undefined && typeof selectPolicy !== "string") return "wrong";
  if (tolerance !== undefined && typeof tolerance !== "string") return "wrong";
  if (list !== undefined && !(Array.isArray(list) && list.every(isMap))) return "wrong";
  const policies = (list as Record<string, unknown>[] | undefined)?.map((policy) => ({
    type: String(field(policy, "Type") ?? ""),
    value: Number(field(policy, "Value") ?? 0),
    periodSeconds: Number(field(policy, "PeriodSeconds") ?? 0),
  }));
  return {
    ...(seconds !== undefined && { stabilizationWindowSeconds: seconds as number }),
    ...(selectPolicy !== undefined && { selectPolicy }),
    ...(policies !== undefined && { policies }),
    ...(tolerance !== undefined && { tolerance }),
  };
}

/** Go finds a field by its name in any case. */
function field(map: Record<string, unknown>, name: string): unknown {
  if (Object.hasOwn(map, name)) return map[name];
  const lower = name.toLowerCase();
  return Object.entries(map).find(([key]) => key.toLowerCase() === lower)?.[1];
}
