import type { CustomResourceSubresourceScale } from "#api/generated/apiextensions/v1.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { goFormat, goTypeName } from "#apimachinery/patch/go-format.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";

const INT32_MAX = 2 ** 31 - 1;

/** What `scale` would show of a custom resource's desired state. Upstream's `ValidateScaleSpec`. */
export function validateScaleSpec(scale: CustomResourceSubresourceScale | undefined, object: ApiObject): FieldError[] {
  return scale === undefined ? [] : validateReplicas(scale.specReplicasPath, object);
}

/** What `scale` would show of a custom resource's status. Upstream's `ValidateScaleStatus`. */
export function validateScaleStatus(scale: CustomResourceSubresourceScale | undefined, object: ApiObject): FieldError[] {
  if (scale === undefined) return [];
  const { statusReplicasPath, labelSelectorPath } = scale;
  const errors = validateReplicas(statusReplicasPath, object);
  if (labelSelectorPath === undefined) return errors;
  const found = nested(object, labelSelectorPath, "string");
  return "problem" in found ? [...errors, invalid(FieldPath.of(labelSelectorPath), "", found.problem)] : errors;
}

function validateReplicas(path: string, object: ApiObject): FieldError[] {
  const found = nested(object, path, "int64");
  const say = (value: number, detail: string): FieldError[] => [invalid(FieldPath.of(path), value, detail)];
  if ("problem" in found) return say(0, found.problem);
  const replicas = (found.value as number | undefined) ?? 0;
  if (replicas < 0) return say(replicas, "should be a non-negative integer");
  return replicas > INT32_MAX ? say(replicas, `should be less than or equal to ${INT32_MAX}`) : [];
}

/** Upstream's `NestedInt64` and `NestedString`: the value, or that something on the way is of another type. */
function nested(
  object: ApiObject,
  path: string,
  type: "int64" | "string",
): { readonly value: unknown } | { readonly problem: string } {
  const steps = path.replace(/^\./, "").split(".");
  let value: unknown = object;
  for (const [i, step] of steps.entries()) {
    if (value === null) return { value: undefined };
    if (typeof value !== "object" || Array.isArray(value)) {
      return { problem: accessor(steps.slice(0, i + 1), value, "map[string]interface{}") };
    }
    if (!Object.hasOwn(value, step)) return { value: undefined };
    value = (value as Record<string, unknown>)[step];
  }
  return goTypeName(value) === type ? { value } : { problem: accessor(steps, value, type) };
}

function accessor(steps: readonly string[], value: unknown, wanted: string): string {
  const type = value === null ? "<nil>" : goTypeName(value);
  return `.${steps.join(".")} accessor error: ${goFormat(value)} is of the type ${type}, expected ${wanted}`;
}
