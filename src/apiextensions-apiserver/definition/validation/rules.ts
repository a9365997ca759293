import type { JSONSchemaProps, ValidationRule } from "#api/generated/apiextensions/v1.ts";
import { type FieldError, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { structuralProblem } from "../../schema/structural-problem.ts";
import { fieldInSchema } from "./field-path-in-schema.ts";

const REASONS = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/** What stands beside the expressions of `x-kubernetes-validations`; the expressions themselves are not looked into. */
export function validateRules(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  return (schema["x-kubernetes-validations"] ?? []).flatMap((rule, i) =>
    validateRule(rule, schema, path.child("x-kubernetes-validations").index(i)),
  );
}

function validateRule(given: Partial<ValidationRule>, schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const { rule = "", message = "", messageExpression = "", reason, fieldPath = "" } = given;
  const errors: FieldError[] = [];
  if (rule.trim() === "") errors.push(required(path.child("rule"), "rule is not specified"));
  else errors.push(...validateMessage(rule, message, path.child("message")));
  if (messageExpression !== "" && messageExpression.trim() === "") {
    errors.push(required(path.child("messageExpression"), "messageExpression must be non-empty if specified"));
  }
  if (reason !== undefined && !REASONS.includes(reason)) errors.push(notSupported(path.child("reason"), reason, REASONS));
  const at = path.child("fieldPath");
  if (fieldPath !== "" && fieldPath.trim() === "") errors.push(invalid(at, fieldPath, "must be non-empty if specified"));
  if (hasLineBreaks(fieldPath)) errors.push(invalid(at, fieldPath, "must not contain line breaks"));
  const leads = fieldPath === "" || structuralProblem(schema) !== undefined || isFound(fieldPath, schema);
  return leads ? errors : [...errors, invalid(at, fieldPath, "must be a valid path")];
}

function isFound(fieldPath: string, schema: JSONSchemaProps): boolean {
  return typeof fieldInSchema(fieldPath, schema, { brackets: true }) !== "string";
}

function validateMessage(rule: string, message: string, path: FieldPath): FieldError[] {
  const text = message.trim();
  if (message !== "" && text === "") return [invalid(path, message, "must be non-empty if specified")];
  if (hasLineBreaks(text)) return [invalid(path, message, "must not contain line breaks")];
  if (hasLineBreaks(rule.trim()) && text === "") {
    return [required(path, "message must be specified if rule contains line breaks")];
  }
  return [];
}

function hasLineBreaks(text: string): boolean {
  return /[\n\r]/.test(text);
}
