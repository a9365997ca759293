import { goQuote } from "../validation/field-error.ts";

/** Go's `intstr.IntOrString` in JSON form. */
export type IntOrString = number | string;

const PERCENT_MESSAGE = "invalid type: string is not a percentage";

/**
 * The number itself, or that percentage of `total`, rounded as told (`intstr.GetScaledValueFromIntOrPercent`).
 * Throws an Error with upstream's text for strings that are no percentage.
 */
export function scaledIntOrPercent(value: IntOrString, total: number, roundUp: boolean): number {
  if (typeof value === "number") return value;
  const percent = percentOf(value);
  const scaled = (percent * total) / 100;
  return roundUp ? Math.ceil(scaled) : Math.floor(scaled);
}

function percentOf(value: string): number {
  if (!value.endsWith("%")) throw new Error(`invalid value for IntOrString: ${PERCENT_MESSAGE}`);
  const digits = value.slice(0, -1);
  if (!/^[+-]?[0-9]+$/.test(digits)) {
    throw new Error(
      `invalid value for IntOrString: invalid value ${goQuote(value)}: strconv.Atoi: parsing ${goQuote(digits)}: invalid syntax`,
    );
  }
  return Number(digits);
}
