import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isKnownFormat } from "./formats.ts";

const INT32_MAX = 2 ** 31 - 1;
const FLOAT_MAX = 3.4028234663852886e38;

/** Range, bounds and multiples of a number. */
export function checkNumber(schema: JSONSchemaProps, value: number, path: string, field: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { type = "", format = "", minimum, maximum, multipleOf } = schema;
  if (!isInRange(value, type, isKnownFormat(type, format) ? format : "")) {
    const form = format === "" || !isKnownFormat(type, format) ? "(default format)" : `with format ${format}`;
    const text = `Checked value must be of type ${type} ${form} in ${path}`;
    errors.push(invalid(FieldPath.root, "", text));
  }
  const say = (text: string): void => {
    errors.push(invalid(field, value, `${path} in body ${text}`));
  };
  if (multipleOf !== undefined && multipleOf < 0) {
    const text = `factor MultipleOf declared for ${path} must be positive: ${multipleOf}`;
    errors.push(invalid(field, multipleOf, text));
  } else if (multipleOf !== undefined && !isMultiple(value, multipleOf)) say(`should be a multiple of ${multipleOf}`);
  if (maximum !== undefined) {
    if (schema.exclusiveMaximum === true && value >= maximum) say(`should be less than ${maximum}`);
    else if (value > maximum) say(`should be less than or equal to ${maximum}`);
  }
  if (minimum !== undefined) {
    if (schema.exclusiveMinimum === true && value <= minimum) say(`should be greater than ${minimum}`);
    else if (value < minimum) say(`should be greater than or equal to ${minimum}`);
  }
  return errors;
}

function isInRange(value: number, type: string, format: string): boolean {
  if (type === "integer") {
    if (!isJsonInteger(value)) return false;
    return format !== "int32" || (value >= -INT32_MAX - 1 && value <= INT32_MAX);
  }
  return type !== "number" || format !== "float" || Math.abs(value) <= FLOAT_MAX;
}

/** As near as floating point comes, as upstream. */
function isMultiple(value: number, factor: number): boolean {
  if (factor === 0) return false;
  if (Number.isInteger(value) && Number.isInteger(factor)) return value % factor === 0;
  const times = Math.abs(factor < 1 ? (1 / factor) * value : value / factor);
  if (times > Number.MAX_SAFE_INTEGER) return false;
  const nearest = Math.trunc(times);
  return times === nearest || Math.abs(times - nearest) / (times + nearest) < 1e-9;
}

/** Whether upstream's decoder reads a number as 64-bit integer. Numbers at the very edge cannot be told apart here. */
export function isJsonInteger(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) <= 2 ** 63;
}
