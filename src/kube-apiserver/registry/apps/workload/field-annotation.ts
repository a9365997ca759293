import { badRequest } from "#apimachinery/api-errors/errors.ts";
import type { Draft, ObjectMeta } from "#apimachinery/meta/api-object.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";

/**
 * Brings an annotation that upstream's internal form holds as a whole number of 64 bits into the form that it is written
 * back in. Throws what upstream's decoder says of anything else; `frame` words it for the kind.
 */
export function normalizeNumberAnnotation(
  metadata: Draft<ObjectMeta> | undefined,
  key: string,
  frame: (problem: string, text: string) => string,
): void {
  const text = metadata?.annotations?.[key];
  if (metadata?.annotations === undefined || text === undefined) return;
  const problem = (what: string): Error => badRequest(frame(`strconv.ParseInt: parsing ${goQuote(text)}: ${what}`, text));
  if (!/^[+-]?[0-9]+$/.test(text)) throw problem("invalid syntax");
  const value = BigInt(text.replace("+", ""));
  if (BigInt.asIntN(64, value) !== value) throw problem("value out of range");
  metadata.annotations[key] = String(value);
}
