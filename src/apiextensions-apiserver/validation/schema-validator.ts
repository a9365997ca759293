import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import {
  type FieldError,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { sortedKeys } from "../sorted-keys.ts";
import { isKnownFormat, matchesFormat } from "./formats.ts";
import { checkNumber, isJsonInteger } from "./number-checks.ts";
import type { PatternCompiler } from "./patterns.ts";

/** What a value was before the update, for values that have a counterpart then. */
export interface Before {
  readonly value: unknown;
}

/** Errors, and how many checks were made: of several alternatives the one that came furthest is told. */
interface Outcome {
  readonly errors: FieldError[];
  matches: number;
}

/**
 * Holds a value against a schema of a CustomResourceDefinition, in the words of upstream's `kube-openapi/pkg/validation`.
 * With `before`, what did not change is not judged again (KEP-4008).
 */
export function validateAgainstSchema(
  schema: JSONSchemaProps,
  value: unknown,
  path: string,
  patterns: PatternCompiler,
  before?: Before,
): FieldError[] {
  return new SchemaValidator(patterns).validate(schema, value, path, before).errors;
}

/** The field of a path; the root prints as `<nil>`. */
function fieldAt(path: string): FieldPath {
  return path === "" ? FieldPath.root : FieldPath.of(path.replace(/^\./, ""));
}

class SchemaValidator {
  readonly #patterns: PatternCompiler;

  constructor(patterns: PatternCompiler) {
    this.#patterns = patterns;
  }

  validate(schema: JSONSchemaProps, value: unknown, path: string, before?: Before): Outcome {
    if (before !== undefined && semanticEqual(before.value, value)) return { errors: [], matches: 0 };
    const outcome: Outcome = { errors: [], matches: 0 };
    this.#checkType(schema, value, path, outcome);
    if (value === null) {
      checkEnum(schema, value, path, outcome);
      return outcome;
    }
    outcome.matches++;
    this.#checkCombinations(schema, value, path, outcome, before);
    if (typeof value === "string") this.#checkString(schema, value, path, outcome);
    else if (typeof value === "number" || typeof value === "bigint")
      outcome.errors.push(...checkNumber(schema, value, path, fieldAt(path)));
    else if (Array.isArray(value)) this.#checkArray(schema, value, path, outcome, before);
    checkEnum(schema, value, path, outcome);
    if (typeof value === "object" && !Array.isArray(value)) {
      this.#checkObject(schema, value as Record<string, unknown>, path, outcome, before);
    }
    outcome.matches++;
    return outcome;
  }

  #checkType(schema: JSONSchemaProps, value: unknown, path: string, outcome: Outcome): void {
    const types = typesOf(schema);
    if (types.length === 0 || (value === null && schema.nullable === true)) return;
    const actual = typeOf(value);
    if (types.includes(actual) || (actual === "integer" && types.includes("number"))) return;
    const say = (wanted: string, found: string): void => {
      outcome.errors.push(typeInvalid(fieldAt(path), found, `${inBody(path)} must be of type ${wanted}: "${found}"`));
    };
    const format = formatOf(schema);
    const isText = typeof value === "string" || Array.isArray(value);
    if (value === null || format === "") say(types.join(","), actual);
    else if (!isText) say(format, goFormat(actual));
    else if (types.includes("number") || types.includes("integer")) say(types.join(","), actual);
    // What is left upstream leaves to the format, which says nothing of lists.
  }

  #checkCombinations(schema: JSONSchemaProps, value: unknown, path: string, outcome: Outcome, before?: Before): void {
    const { anyOf = [], oneOf = [], allOf = [], not } = schema;
    const each = (schemas: readonly JSONSchemaProps[]): Outcome[] =>
      schemas.map((one) => this.validate(one, value, path, before));
    const say = (text: string): void => {
      outcome.errors.push(invalid(FieldPath.root, "", `"${path}" ${text}`));
    };
    if (anyOf.length > 0) {
      const tried = each(anyOf);
      if (!tried.some(isValid)) {
        say("must validate at least one schema (anyOf)");
        merge(outcome, best(tried));
      }
    }
    if (oneOf.length > 0) {
      const tried = each(oneOf);
      const valid = tried.filter(isValid).length;
      if (valid !== 1) {
        const found = valid === 0 ? "Found none valid" : `Found ${valid} valid alternatives`;
        say(`must validate one and only one schema (oneOf). ${found}`);
        if (valid === 0) merge(outcome, best(tried));
      }
    }
    if (allOf.length > 0) {
      const tried = each(allOf);
      const valid = tried.filter(isValid).length;
      for (const one of tried) merge(outcome, one);
      if (valid < tried.length) say(`must validate all the schemas (allOf)${valid === 0 ? ". None validated" : ""}`);
    }
    if (not !== undefined && isValid(this.validate(not, value, path))) say("must not validate the schema (not)");
  }

  #checkString(schema: JSONSchemaProps, value: string, path: string, outcome: Outcome): void {
    const { minLength, maxLength, pattern } = schema;
    const format = formatOf(schema);
    const field = fieldAt(path);
    const length = maxLength === undefined && minLength === undefined ? 0 : [...value].length;
    // Upstream stops at the first of these.
    if (maxLength !== undefined && length > maxLength) outcome.errors.push(tooLong(field, maxLength));
    else if (minLength !== undefined && length < minLength) {
      outcome.errors.push(invalid(field, value, `${inBody(path)} should be at least ${minLength} chars long`));
    } else if (pattern !== undefined && pattern !== "" && this.#mismatch(pattern, value)) {
      outcome.errors.push(invalid(field, value, `${inBody(path)} should match '${pattern}'`));
    }
    if (format !== "" && matchesFormat(format, value) === false) {
      outcome.errors.push(typeInvalid(field, value, `${inBody(path)} must be of type ${format}: ${JSON.stringify(value)}`));
    }
  }

  /** What is no regular expression refuses nothing; definitions with such a pattern are refused. */
  #mismatch(pattern: string, value: string): boolean {
    const matches = this.#patterns(pattern);
    return !(matches instanceof Error) && !matches(value);
  }

  #checkArray(schema: JSONSchemaProps, value: readonly unknown[], path: string, outcome: Outcome, before?: Before): void {
    const { items, minItems, maxItems, uniqueItems } = schema;
    const field = fieldAt(path);
    if (items !== undefined && !Array.isArray(items)) {
      value.forEach((item, index) => {
        const old = itemBefore(schema, item, before);
        merge(outcome, this.validate(items as JSONSchemaProps, item, `${path}[${index}]`, old));
      });
    }
    if (minItems !== undefined && value.length < minItems) {
      outcome.errors.push(invalid(field, value.length, `${inBody(path)} should have at least ${minItems} items`));
    }
    if (maxItems !== undefined && value.length > maxItems) outcome.errors.push(tooMany(field, value.length, maxItems));
    if (uniqueItems === true && value.some((item, index) => value.slice(0, index).some((other) => semanticEqual(item, other)))) {
      outcome.errors.push(invalid(field, "", `${inBody(path)} shouldn't contain duplicates`));
    }
  }

  #checkObject(
    schema: JSONSchemaProps,
    value: Readonly<Record<string, unknown>>,
    path: string,
    outcome: Outcome,
    before?: Before,
  ): void {
    const { minProperties, maxProperties, properties = {}, additionalProperties } = schema;
    const field = fieldAt(path);
    const names = Object.keys(value);
    if (minProperties !== undefined && names.length < minProperties) {
      outcome.errors.push(invalid(field, names.length, `${inBody(path)} should have at least ${minProperties} properties`));
    }
    if (maxProperties !== undefined && names.length > maxProperties) {
      outcome.errors.push(tooMany(field, names.length, maxProperties));
    }
    for (const name of names.filter((one) => !Object.hasOwn(properties, one))) {
      if (additionalProperties === false) {
        outcome.errors.push(invalid(field, name, `${path}.${name} in body is a forbidden property`));
      } else if (typeof additionalProperties === "object") {
        // Upstream puts a dot before these even where nothing is before the dot.
        merge(outcome, this.validate(additionalProperties, value[name], `${path}.${name}`, memberBefore(name, before)));
      }
    }
    for (const [name, property] of Object.entries(properties)) {
      if (!Object.hasOwn(value, name)) continue;
      merge(outcome, this.validate(property, value[name], join(path, name), memberBefore(name, before)));
    }
    for (const name of schema.required ?? []) {
      if (!Object.hasOwn(value, name)) outcome.errors.push(required(fieldAt(join(path, name)), ""));
    }
  }
}

function isValid({ errors }: Outcome): boolean {
  return errors.length === 0;
}

function merge(into: Outcome, from: Outcome): void {
  into.errors.push(...from.errors);
  into.matches += from.matches;
}

/** The alternative that passed most checks; the first of equals. */
function best(tried: readonly Outcome[]): Outcome {
  return tried.reduce((most, one) => (one.matches > most.matches ? one : most));
}

function checkEnum({ enum: values }: JSONSchemaProps, value: unknown, path: string, outcome: Outcome): void {
  if (values === undefined || values.length === 0 || values.some((one) => semanticEqual(one, value))) return;
  const supported = values.map((one) => (typeof one === "string" ? one : JSON.stringify(sortedKeys(one))));
  outcome.errors.push(notSupported(fieldAt(path), sortedKeys(value), supported));
}

function typesOf(schema: JSONSchemaProps): readonly string[] {
  if (schema["x-kubernetes-int-or-string"] === true) return ["integer", "string"];
  return schema.type === undefined || schema.type === "" ? [] : [schema.type];
}

/** The format, where it is one that is looked at. */
function formatOf({ type = "", format = "" }: JSONSchemaProps): string {
  return isKnownFormat(type, format) ? format : "";
}

/** What upstream's decoder makes of a value. */
function goFormat(type: string): string {
  return type === "integer" ? "int64" : type === "number" ? "float64" : "";
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number" || typeof value === "bigint") return isJsonInteger(value) ? "integer" : "number";
  return typeof value;
}

/** How messages begin. */
function inBody(path: string): string {
  return `${path} in body`;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function memberBefore(name: string, before: Before | undefined): Before | undefined {
  const old = before?.value;
  if (old === null || typeof old !== "object" || Array.isArray(old) || !Object.hasOwn(old, name)) return undefined;
  return { value: (old as Record<string, unknown>)[name] };
}

/** Items have counterparts only in lists whose items have keys. */
function itemBefore(schema: JSONSchemaProps, item: unknown, before: Before | undefined): Before | undefined {
  const old = before?.value;
  if (schema["x-kubernetes-list-type"] !== "map" || !Array.isArray(old)) return undefined;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const found = old.find((one) => keys.every((key) => semanticEqual(valueAt(one, key), valueAt(item, key))));
  return found === undefined ? undefined : { value: found };
}

function valueAt(value: unknown, key: string): unknown {
  return value !== null && typeof value === "object" ? (value as Record<string, unknown>)[key] : undefined;
}
