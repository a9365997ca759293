import { badRequest } from "#apimachinery/api-errors/errors.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";

/** A 64-bit integer parameter; undefined when it is absent or empty. Throws 400 with Go's text. */
export function queryInteger(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^[+-]?[0-9]+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`);
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  if (BigInt.asIntN(64, value) !== value) throw badRequest(`strconv.ParseInt: parsing ${goQuote(text)}: value out of range`);
  return Number(value);
}

/** A boolean parameter as upstream reads it: `false` and `0` are false, everything else that is given is true. */
export function queryBoolean(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const lower = text.toLowerCase();
  return lower !== "false" && lower !== "0";
}

/** A repeatable parameter; undefined when it is absent. */
export function queryList(query: URLSearchParams, name: string): string[] | undefined {
  return query.has(name) ? query.getAll(name) : undefined;
}
