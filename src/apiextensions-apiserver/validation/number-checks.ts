import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";

const INT32_MAX = 2 ** 31 - 1;
const FLOAT_MAX = 3.4028234663852886e38;

/** Range, bounds and multiples of a number. */
export function checkNumber(schema: JSONSchemaProps, value: number, path: string, field: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { type = "", format = "", minimum, maximum, multipleOf } = schema;
  if (!isInRange(value, type, format)) {
    const form = format === "" ? "(default format)" : `with format ${format}`;
    const text = `Checked value must be of type ${type} ${form} in ${path}`;
    errors.push(invalid(FieldPath.root, "", text));
  }
  const say = (text: string): void => {
    errors.push(invalid(field, value, `${path} in body ${text}`));
  };
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) say(`should be a multiple of ${multipleOf}`);
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
    if (!Number.isInteger(value)) return false;
    switch (format) {
      case "int32":
        return value >= -INT32_MAX - 1 && value <= INT32_MAX;
      case "uint32":
        return value >= 0 && value <= 2 ** 32 - 1;
      case "uint64":
        return value >= 0;
      default:
        return true;
    }
  }
  return type !== "number" || format !== "float" || Math.abs(value) <= FLOAT_MAX;
}

function isMultiple(value: number, factor: number): boolean {
  return Number.isInteger(value) && Number.isInteger(factor) ? value % factor === 0 : Number.isInteger(value / factor);
}
