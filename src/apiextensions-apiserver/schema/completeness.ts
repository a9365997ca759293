import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { type FieldError, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byName, itemsOf } from "./walk.ts";

/** Fields that `anyOf` and the like judge without their being declared. Upstream's `validateStructuralCompleteness`. */
export function validateCompleteness(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  return checks(schema, schema, path, path);
}

/** `checks` judges values of `schema`. */
function checks(
  { not, allOf = [], anyOf = [], oneOf = [] }: JSONSchemaProps,
  schema: JSONSchemaProps,
  path: FieldPath,
  checkPath: FieldPath,
): FieldError[] {
  const each = (name: string, list: readonly JSONSchemaProps[]): FieldError[] =>
    list.flatMap((one, i) => nested(one, schema, path, checkPath.child(name).index(i)));
  return [
    ...nested(not, schema, path, checkPath.child("not")),
    ...each("allOf", allOf),
    ...each("anyOf", anyOf),
    ...each("oneOf", oneOf),
  ];
}

function nested(
  check: JSONSchemaProps | undefined,
  schema: JSONSchemaProps | undefined,
  path: FieldPath,
  checkPath: FieldPath,
): FieldError[] {
  if (check === undefined) return [];
  if (schema === undefined) return [required(path, `because it is defined in ${checkPath}`)];
  return [
    ...checks(check, schema, path, checkPath),
    ...nested(itemsOf(check), itemsOf(schema), path.child("items"), checkPath.child("items")),
    ...byName(check.properties).flatMap(([name, property]) => {
      const declared = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : undefined;
      return nested(property, declared, path.child("properties").key(name), checkPath.child("properties").key(name));
    }),
  ];
}
