import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { goFloat } from "../go-float.ts";
import { isKnownFormat } from "./formats.ts";

const INT32_MAX = 2 ** 31 - 1;
const FLOAT_MAX = 3.4028234663852886e38;

/** What is asked of a number, in upstream's order. */
type Bound = "MultipleOf" | "Maximum boundary" | "Minimum boundary";

/**
 * Range, bounds and multiples of a number. Upstream's `numberValidator`: bounds themselves must be of the type, and whole
 * numbers are compared with the whole part of a bound.
 */
export function checkNumber(schema: JSONSchemaProps, value: number | bigint, path: string, field: FieldPath): FieldError[] {
  const { multipleOf, maximum, minimum, exclusiveMaximum = false, exclusiveMinimum = false } = schema;
  const errors: FieldError[] = rangeErrors(schema, value, "Checked", path);
  const check = (
    bound: number | undefined,
    what: Bound,
    fault: (bound: number, isWhole: boolean) => string | undefined,
  ): void => {
    if (bound === undefined) return;
    const range = rangeErrors(schema, bound, what, path);
    const isWhole = isJsonInteger(value) && range.length === 0;
    const text = fault(isWhole ? Math.trunc(bound) : bound, isWhole);
    errors.push(...range);
    if (text !== undefined) errors.push(bad(field, isWhole ? String(value) : goFloat(Number(value)), text));
  };
  const say = (text: string, bound: number, isWhole: boolean): string =>
    `${path} in body should be ${text} ${isWhole ? bound : goFloat(bound)}`;
  check(multipleOf, "MultipleOf", (factor, isWhole) => {
    if (factor <= 0) return `factor MultipleOf declared for ${path} must be positive: ${isWhole ? factor : goFloat(factor)}`;
    return isMultiple(value, factor) ? undefined : say("a multiple of", factor, isWhole);
  });
  check(minimum, "Minimum boundary", (least, isWhole) => {
    if (exclusiveMinimum) return value <= least ? say("greater than", least, isWhole) : undefined;
    return value < least ? say("greater than or equal to", least, isWhole) : undefined;
  });
  check(maximum, "Maximum boundary", (most, isWhole) => {
    if (exclusiveMaximum) return value >= most ? say("less than", most, isWhole) : undefined;
    return value > most ? say("less than or equal to", most, isWhole) : undefined;
  });
  return errors;
}

/** With the value as it is printed. */
function bad(field: FieldPath, shown: string, detail: string): FieldError {
  return { type: "FieldValueInvalid", field: `${field}`, message: `Invalid value: ${shown}: ${detail}` };
}

/** Whether a value, or a bound, is of the declared type and format. */
function rangeErrors(
  { type = "", format = "" }: JSONSchemaProps,
  value: number | bigint,
  what: Bound | "Checked",
  path: string,
): FieldError[] {
  const known = isKnownFormat(type, format) ? format : "";
  if (isInRange(value, type, known)) return [];
  const form = known === "" ? "(default format)" : `with format ${known}`;
  return [invalid(FieldPath.root, "", `${what} value must be of type ${type} ${form} in ${path}`)];
}

function isInRange(value: number | bigint, type: string, format: string): boolean {
  if (type === "integer") {
    if (!isInt64(value)) return false;
    return format !== "int32" || (value >= -INT32_MAX - 1 && value <= INT32_MAX);
  }
  return type !== "number" || format !== "float" || Math.abs(Number(value)) <= FLOAT_MAX;
}

/** Bounds are floats, whatever they bound. */
function isInt64(value: number | bigint): boolean {
  return typeof value === "bigint" || (Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63);
}

/** As near as floating point comes, as upstream. */
function isMultiple(value: number | bigint, factor: number): boolean {
  if (typeof value === "bigint")
    return Number.isInteger(factor) ? value % BigInt(factor) === 0n : isMultiple(Number(value), factor);
  if (Number.isInteger(value) && Number.isInteger(factor)) return value % factor === 0;
  const times = Math.abs(factor < 1 ? (1 / factor) * value : value / factor);
  if (times > Number.MAX_SAFE_INTEGER) return false;
  const nearest = Math.trunc(times);
  return times === nearest || Math.abs(times - nearest) / (times + nearest) < 1e-9;
}

/** Whether upstream's decoder reads a number as 64-bit integer. */
export function isJsonInteger(value: number | bigint): boolean {
  return typeof value === "bigint" || Number.isSafeInteger(value);
}
