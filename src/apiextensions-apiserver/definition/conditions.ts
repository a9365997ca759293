import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionStatus,
} from "#api/generated/apiextensions/v1.ts";

/** Whether a definition says `True` of itself. */
export function isTrue({ status }: CustomResourceDefinition, type: string): boolean {
  return status?.conditions?.some((condition) => condition.type === type && condition.status === "True") === true;
}

/** The status with a condition set. `now` is RFC 3339 and taken only when the condition's status changes. */
export function withCondition(
  status: CustomResourceDefinitionStatus,
  condition: Omit<CustomResourceDefinitionCondition, "lastTransitionTime">,
  now: string,
): CustomResourceDefinitionStatus {
  const conditions = status.conditions ?? [];
  const old = conditions.find(({ type }) => type === condition.type);
  const lastTransitionTime = old?.status === condition.status ? (old.lastTransitionTime ?? now) : now;
  const changed = { ...condition, lastTransitionTime };
  if (old === undefined) return { ...status, conditions: [...conditions, changed] };
  return { ...status, conditions: conditions.map((one) => (one === old ? changed : one)) };
}
