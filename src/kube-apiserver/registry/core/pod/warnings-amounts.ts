import type { PersistentVolumeClaimSpec } from "#api/generated/core/v1.ts";
import { canonicalQuantity, parseQuantity } from "#apimachinery/resource/quantity.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { memoized } from "#base/memo.ts";

/** Up to so many digits upstream keeps an amount as a 64-bit integer, in which thousandths may not fit. */
const SMALL_DIGITS_MAX = 18;
const INT64_MAX = 9223372036854775807n;

/** The warnings for a volume claim, or a template of one, whose spec is at `path`. */
export function claimAmountWarnings(spec: PersistentVolumeClaimSpec | undefined, path: FieldPath): string[] {
  const at = path.child("resources");
  return [
    ...fractionalBytesWarnings(spec?.resources?.requests, "storage", at.child("requests")),
    ...fractionalBytesWarnings(spec?.resources?.limits, "storage", at.child("limits")),
  ];
}

/** The warning for the resource `name` of a list at `path`, when its bytes are not whole. */
export function fractionalBytesWarnings(
  list: Readonly<Record<string, string>> | undefined,
  name: string,
  path: FieldPath,
): string[] {
  const value = list?.[name];
  if (value === undefined || !isFractional(value)) return [];
  return [`${path.key(name)}: fractional byte value ${goQuote(canonicalQuantity(value))} is invalid, must be an integer`];
}

/**
 * Whether upstream's `MilliValue` leaves a remainder. It is computed in 64 bits: amounts that are kept as integers are 0
 * when they overflow, and larger ones lose their upper bits, so that some huge whole amounts are told fractional.
 */
const isFractional: (value: string) => boolean = memoized(1024, (value) => {
  const { unscaled, exponent } = parseQuantity(value);
  const shift = exponent + 3;
  if (shift < 0) return true;
  const thousandths = unscaled * 10n ** BigInt(shift);
  const fits = thousandths <= INT64_MAX && thousandths >= -INT64_MAX;
  if (!fits && String(unscaled).length <= SMALL_DIGITS_MAX) return false;
  return BigInt.asIntN(64, thousandths) % 1000n !== 0n;
});
