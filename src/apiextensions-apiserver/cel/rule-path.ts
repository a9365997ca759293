import type { JSONSchemaProps, ValidationRule } from "#api/generated/apiextensions/v1.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { fieldInSchema } from "../definition/validation/field-path-in-schema.ts";

/** Where a failure is told: the rule's `fieldPath` is relative to where the rule stands. */
export function pathOf(path: FieldPath, { fieldPath = "" }: ValidationRule, schema: JSONSchemaProps): FieldPath {
  const found = fieldPath === "" ? "" : fieldInSchema(fieldPath, schema, { brackets: true });
  if (typeof found === "string") return path;
  let text = "";
  let at: JSONSchemaProps | undefined = schema;
  for (const step of found.steps) {
    const properties: Readonly<Record<string, JSONSchemaProps>> = at?.properties ?? {};
    if (Object.hasOwn(properties, step)) {
      text += text === "" ? step : `.${step}`;
      at = properties[step];
    } else {
      text += `[${step}]`;
      at = typeof at?.additionalProperties === "object" ? at.additionalProperties : undefined;
    }
  }
  return path.child(text);
}
