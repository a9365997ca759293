import type { CustomResourceDefinitionNames } from "#api/generated/apiextensions/v1.ts";
import { type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1035Label } from "#apimachinery/validation/names.ts";

const ALWAYS_GIVEN = ["plural", "singular", "kind", "listKind"] as const;

/** The names that a spec must have; a status may have none. */
export function requireNames(names: Partial<CustomResourceDefinitionNames>, path: FieldPath): FieldError[] {
  return ALWAYS_GIVEN.filter((name) => !names[name]).map((name) => required(path.child(name), ""));
}

/** Names of a spec, or those accepted in a status. Upstream's `ValidateCustomResourceDefinitionNames`. */
export function validateNames(names: Partial<CustomResourceDefinitionNames>, path: FieldPath): FieldError[] {
  const { plural = "", singular = "", kind = "", listKind = "", shortNames = [], categories = [] } = names;
  const mixedCase = "may have mixed case, but should otherwise match: ";
  const errors = [
    ...label(plural, plural, path.child("plural")),
    ...label(singular, singular, path.child("singular")),
    ...label(kind, kind.toLowerCase(), path.child("kind"), mixedCase),
    ...label(listKind, listKind.toLowerCase(), path.child("listKind"), mixedCase),
    ...shortNames.flatMap((name, i) => anyLabel(name, path.child("shortNames").index(i))),
  ];
  if (kind !== "" && kind === listKind) {
    errors.push(invalid(path.child("listKind"), listKind, "kind and listKind may not be the same"));
  }
  return [...errors, ...categories.flatMap((name, i) => anyLabel(name, path.child("categories").index(i)))];
}

function label(value: string, checked: string, path: FieldPath, prefix = ""): FieldError[] {
  return value === "" ? [] : anyLabel(value, path, checked, prefix);
}

/** A DNS label; complaints are one error. */
export function anyLabel(value: string, path: FieldPath, checked: string = value, prefix = ""): FieldError[] {
  const faults = isDns1035Label(checked);
  return faults.length === 0 ? [] : [invalid(path, value, `${prefix}${faults.join(",")}`)];
}
