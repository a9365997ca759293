import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { nonNegativeErrors } from "../../core/pod/validation/field-checks.ts";

const statusPath = FieldPath.of("status");

function numberAt(status: object, field: string): number {
  const value: unknown = Reflect.get(status, field);
  return typeof value === "number" ? value : 0;
}

/** One complaint for each count below zero. */
export function countErrors(status: object, fields: readonly string[]): FieldError[] {
  return fields.flatMap((field) => nonNegativeErrors(numberAt(status, field), statusPath.child(field)));
}

/** One complaint for each count that is greater than `limit`, which `name` stands for in the message. */
export function limitErrors(status: object, fields: readonly string[], limit: string, name: string): FieldError[] {
  const max = numberAt(status, limit);
  return fields.flatMap((field) => {
    const value = numberAt(status, field);
    return value > max ? [invalid(statusPath.child(field), value, `cannot be greater than ${name}`)] : [];
  });
}

/** Collisions are only counted up. */
export function collisionErrors(
  status: { readonly collisionCount?: number } | undefined,
  old: { readonly collisionCount?: number } | undefined,
): FieldError[] {
  const before = old?.collisionCount;
  if (before === undefined || before === null) return [];
  const now = status?.collisionCount;
  if (now !== undefined && now !== null && now >= before) return [];
  return [invalid(statusPath.child("collisionCount"), now ?? 0, "cannot be decremented")];
}
