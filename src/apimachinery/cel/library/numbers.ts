import { CelError, Uint } from "../values.ts";

const INT_MAX = 2n ** 63n - 1n;
const INT_MIN = -(2n ** 63n);
const UINT_MAX = 2n ** 64n - 1n;

/** An int, if it fits into 64 bits. */
export function checkedInt(value: bigint): bigint {
  if (value > INT_MAX || value < INT_MIN) throw new CelError("integer overflow");
  return value;
}

/** A uint, if it fits into 64 bits. */
export function checkedUint(value: bigint): Uint {
  if (value > UINT_MAX || value < 0n) throw new CelError("unsigned integer overflow");
  return new Uint(value);
}

/** A double as `string()` gives it: Go's `%g`, with an exponent from a million on. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits = "", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 6)
    return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  return String(value);
}
