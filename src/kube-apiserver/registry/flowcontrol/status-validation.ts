import type { FlowSchema, PriorityLevelConfiguration } from "#api/generated/flowcontrol/v1.ts";
import { duplicate, type FieldError, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";

const conditionsPath = FieldPath.of("status", "conditions");

/** Upstream's `ValidateFlowSchemaStatus`, and that of priority levels: each condition has a type of its own. */
export function validateStatus({ status }: FlowSchema | PriorityLevelConfiguration): FieldError[] {
  const types = (status?.conditions ?? []).map(({ type }) => type ?? "");
  return types.flatMap((type, i) => {
    const path = conditionsPath.index(i).child("type");
    const repeated = types.indexOf(type) < i ? [duplicate(path, type)] : [];
    return type === "" ? [...repeated, required(path, "must not be empty")] : repeated;
  });
}
