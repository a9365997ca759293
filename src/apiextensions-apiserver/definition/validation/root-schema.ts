import type { CustomResourceValidation, JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { loadedKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { type FieldError, forbidden, invalid } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateRuleExpressions } from "../../cel/validate-rules.ts";
import { validateDefaults } from "../../schema/default-checks.ts";
import { compileStructural } from "../../schema/structural.ts";
import { validateStructural } from "../../schema/structural-checks.ts";
import { structuralProblem } from "../../schema/structural-problem.ts";
import { schemaHas } from "../../schema/walk.ts";
import { shownSchema } from "./internal-form.ts";
import type { SpecOptions } from "./options.ts";
import { validateSchema } from "./schema.ts";

/** The schema of a version, or of all. Upstream's `validateCustomResourceDefinitionValidation`. */
export function validateValidation(
  validation: CustomResourceValidation | undefined,
  hasStatus: boolean,
  options: SpecOptions,
  path: FieldPath,
): FieldError[] {
  const schema = validation?.openAPIV3Schema;
  if (schema === undefined) return [];
  const schemaPath = path.child("openAPIV3Schema");
  const errors = hasStatus ? besideStatus(schema, schemaPath) : [];
  if (schema.nullable === true) errors.push(forbidden(schemaPath.child("nullable"), "nullable cannot be true at the root"));
  const problem = options.requireStructural ? structuralProblem(schema) : undefined;
  const shape = options.requireStructural && problem === undefined ? structural(schema, schemaPath, options) : undefined;
  const keywords = validateSchema(schema, schemaPath, options);
  errors.push(...(shape ?? []), ...keywords);
  if (shape?.length === 0) errors.push(...ruleExpressions(schema, schemaPath, keywords));
  if (errors.length === 0 && problem !== undefined) errors.push(invalid(schemaPath, "", problem));
  return errors;
}

function structural(schema: JSONSchemaProps, path: FieldPath, { patterns, requirePrunedDefaults }: SpecOptions): FieldError[] {
  const errors = validateStructural(schema, path, patterns);
  if (errors.length > 0) return errors;
  return validateDefaults(compileStructural(schema), path, requirePrunedDefaults, patterns);
}

/** Expressions are looked at where nothing else is wrong. */
function ruleExpressions(schema: JSONSchemaProps, path: FieldPath, others: readonly FieldError[]): FieldError[] {
  if (!schemaHas(schema, (one) => (one["x-kubernetes-validations"] ?? []).length > 0)) return [];
  return validateRuleExpressions(schema, path, loadedKubernetesCel(), (at) => {
    const prefix = `${at}`;
    return !others.some(({ field }) => field.startsWith(prefix));
  });
}

/** By upstream's names, in which they are told. What else stood at the root would not be asked of a status alone. */
const BESIDE_STATUS = [
  "Description",
  "Type",
  "Format",
  "Title",
  "Maximum",
  "ExclusiveMaximum",
  "Minimum",
  "ExclusiveMinimum",
  "MaxLength",
  "MinLength",
  "Pattern",
  "MaxItems",
  "MinItems",
  "UniqueItems",
  "MultipleOf",
  "Required",
  "Items",
  "Properties",
  "ExternalDocs",
  "Example",
  "XPreserveUnknownFields",
  "XValidations",
];

function besideStatus(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const shown = shownSchema(schema) as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(shown)) {
    if (value === null || value === "" || value === false) continue;
    if (name === "Type" && value !== "object") {
      const detail = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
      return [invalid(path.child("type"), value, detail)];
    }
    if (BESIDE_STATUS.includes(name)) continue;
    const allowed = `[${BESIDE_STATUS.join(" ")}]`;
    const detail = `only ${allowed} fields are allowed at the root of the schema if the status subresource is enabled`;
    return [invalid(path, shown, detail)];
  }
  return [];
}
