import { memoized } from "#base/memo.ts";

/** How a quantity was written, which decides how it is printed. */
export type QuantityFormat = "DecimalExponent" | "BinarySI" | "DecimalSI";

/** An exact amount: `unscaled` × 10^`exponent`. Upstream's `resource.Quantity`; immutable. */
export interface Quantity {
  readonly unscaled: bigint;
  readonly exponent: number;
  readonly format: QuantityFormat;
  /** The text it was read from, when that is kept as the canonical one. */
  readonly text: string | undefined;
}

/** Upstream's error for text that is no quantity at all. */
export const QUANTITY_FORMAT_MESSAGE: string =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const NUMERIC_MESSAGE = "unable to parse numeric part of quantity";
const SUFFIX_MESSAGE = "unable to parse quantity's suffix";

const INT64_MAX = 9223372036854775807n;
const INT64_DIGITS = 18;
/** No amount is finer than this power of ten. */
const NANO = -9;
/** Exponents beyond this compare as equal: keeps `1e1000000000` from filling the memory. */
const EXPONENT_MAX = 1000;
const CANONICAL_CACHE_MAX = 4096;

const DECIMAL_SUFFIXES: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY_SUFFIXES: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const DECIMAL_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(DECIMAL_SUFFIXES).map(([name, power]) => [power, name]),
);
const BINARY_NAMES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] as const;

/** The amount nought, printed `0`. */
export const ZERO_QUANTITY: Quantity = { unscaled: 0n, exponent: 0, format: "DecimalSI", text: "0" };

function pow10(exponent: number): bigint {
  return 10n ** BigInt(Math.min(Math.max(exponent, 0), EXPONENT_MAX));
}

interface Split {
  readonly negative: boolean;
  readonly integer: string;
  readonly fraction: string;
  readonly suffix: string;
}

/** Most characters that a quantity may have: what is done with numbers takes longer than their length. */
const TEXT_MAX = 1000;
const SUFFIX_LETTERS = "eEinumkKMGTP";

/** Upstream's scanner, which forgives a missing number and a lone point. One pass: text from anywhere comes here. */
function split(text: string): Split {
  if (text.length > TEXT_MAX) throw new Error(QUANTITY_FORMAT_MESSAGE);
  let at = 0;
  const take = (isTaken: (char: string) => boolean): string => {
    const start = at;
    while (at < text.length && isTaken(text.charAt(at))) at++;
    return text.slice(start, at);
  };
  const takeSign = (): string => (text[at] === "+" || text[at] === "-" ? text.charAt(at++) : "");
  const sign = takeSign();
  take((char) => char === "0");
  const integer = take(isDigit);
  let fraction = "";
  if (text[at] === ".") {
    at++;
    fraction = take(isDigit);
  }
  const suffix = take((char) => SUFFIX_LETTERS.includes(char)) + takeSign() + take(isDigit);
  if (at < text.length) throw new Error(QUANTITY_FORMAT_MESSAGE);
  return { negative: sign === "-", integer: integer === "" ? "0" : integer, fraction, suffix };
}

function isDigit(char: string): boolean {
  return char >= "0" && char <= "9";
}

interface Suffix {
  readonly base: 2 | 10;
  readonly power: number;
  readonly format: QuantityFormat;
}

function readSuffix(suffix: string): Suffix {
  const decimal = Object.hasOwn(DECIMAL_SUFFIXES, suffix) ? DECIMAL_SUFFIXES[suffix] : undefined;
  if (decimal !== undefined) return { base: 10, power: decimal, format: "DecimalSI" };
  const binary = Object.hasOwn(BINARY_SUFFIXES, suffix) ? BINARY_SUFFIXES[suffix] : undefined;
  if (binary !== undefined) return { base: 2, power: binary, format: "BinarySI" };
  const exponent = /^[eE]([+-]?[0-9]+)$/.exec(suffix);
  if (exponent === null) throw new Error(SUFFIX_MESSAGE);
  const value = BigInt((exponent[1] ?? "").replace("+", ""));
  if (value > INT64_MAX || value < -INT64_MAX - 1n) throw new Error(SUFFIX_MESSAGE);
  return { base: 10, power: Number(BigInt.asIntN(32, value)), format: "DecimalExponent" };
}

/**
 * Reads a quantity exactly. Finer than a nano is rounded up, more than 2^63-1 in binary form is capped.
 * Throws an Error with upstream's text. Numbers are what JSON gave.
 */
export function parseQuantity(value: string | number): Quantity {
  const text = typeof value === "number" ? String(value) : value.trim();
  if (text === "") throw new Error(QUANTITY_FORMAT_MESSAGE);
  return text === "0" ? ZERO_QUANTITY : readText(text);
}

/** A cluster has few different amounts, and each is read many times: when it is validated, scheduled, admitted, shown. */
const TEXTS_REMEMBERED = 4096;

const readText = memoized(
  TEXTS_REMEMBERED,
  (text): Quantity => {
    const parts = split(text);
    const suffix = readSuffix(parts.suffix);
    return readSmall(text, parts, suffix) ?? readLarge(parts, suffix);
  },
  32,
);

/** Amounts that fit into 64 bits; undefined when they do not. These may keep their text. */
function readSmall(text: string, parts: Split, suffix: Suffix): Quantity | undefined {
  const { integer, fraction, negative } = parts;
  const digits = integer.length + fraction.length;
  const binary = suffix.format === "BinarySI";
  if (binary && fraction !== "") return undefined;
  const precision = binary ? 15 - integer.length - Math.trunc((suffix.power * 3) / 10) - 1 : INT64_DIGITS - digits;
  const exponent = (binary ? 0 : suffix.power) - fraction.length;
  if (precision < 0 || exponent < NANO) return undefined;
  const shifted = integer + fraction;
  const read = BigInt(shifted);
  const amount = binary ? read << BigInt(suffix.power) : read;
  if (amount > INT64_MAX) return undefined;
  const unscaled = negative ? -amount : amount;
  const keep = binary
    ? suffix.power % 10 === 0 && (read & 7n) !== 0n
    : exponent % 3 === 0 && !shifted.endsWith("000") && !shifted.startsWith("0");
  return { unscaled, exponent, format: suffix.format, text: keep ? text : undefined };
}

function readLarge(parts: Split, suffix: Suffix): Quantity {
  const digits = parts.integer + parts.fraction;
  if (!/^[0-9]+$/.test(digits)) throw new Error(NUMERIC_MESSAGE);
  let unscaled = BigInt(digits);
  let exponent = -parts.fraction.length;
  let format = suffix.format;
  if (suffix.base === 10) exponent += suffix.power;
  else unscaled <<= BigInt(suffix.power);
  if (unscaled !== 0n && exponent < NANO) {
    unscaled = NANO - exponent > digits.length + 20 ? 1n : divideUp(unscaled, pow10(NANO - exponent));
    exponent = NANO;
  }
  if (format === "BinarySI") {
    const unit = pow10(-exponent);
    if (unscaled > INT64_MAX * unit) {
      unscaled = INT64_MAX;
      exponent = 0;
    } else if (unscaled < unit && unscaled > 0n) {
      // Printed in decimals, so that nothing is rounded away.
      format = "DecimalSI";
    }
  }
  return { unscaled: parts.negative ? -unscaled : unscaled, exponent, format, text: undefined };
}

/** Division away from zero. */
function divideUp(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  if (quotient * by === value) return quotient;
  return value < 0n ? quotient - 1n : quotient + 1n;
}

/** The canonical text of an amount. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.text !== undefined) return quantity.text;
  const { unscaled, exponent } = quantity;
  if (unscaled === 0n) return "0";
  if (quantity.format === "BinarySI") {
    const whole = wholeValue(quantity);
    if (whole !== undefined && (whole <= -1024n || whole >= 1024n)) return formatBinary(whole);
  }
  return formatDecimal(unscaled, exponent, quantity.format === "DecimalExponent");
}

function wholeValue({ unscaled, exponent }: Quantity): bigint | undefined {
  if (exponent >= 0) return unscaled * pow10(exponent);
  const unit = pow10(-exponent);
  return unscaled % unit === 0n ? unscaled / unit : undefined;
}

function formatBinary(whole: bigint): string {
  let amount = whole;
  let times = 0;
  while (amount % 1024n === 0n) {
    amount /= 1024n;
    times++;
  }
  return `${amount}${BINARY_NAMES[times] ?? ""}`;
}

function formatDecimal(unscaled: bigint, scale: number, scientific: boolean): string {
  let amount = unscaled;
  let exponent = scale;
  while (amount % 10n === 0n) {
    amount /= 10n;
    exponent++;
  }
  while (exponent % 3 !== 0) {
    amount *= 10n;
    exponent--;
  }
  if (scientific) return exponent === 0 ? `${amount}` : `${amount}e${exponent}`;
  // Upstream has no suffix beyond E and prints none.
  return `${amount}${DECIMAL_NAMES.get(exponent) ?? ""}`;
}

const canonicalCache = new Map<string, string>();

/** The text upstream stores for a quantity that a client sent. Throws as {@link parseQuantity}. */
export function canonicalQuantity(value: string | number): string {
  if (typeof value === "number") return formatQuantity(parseQuantity(value));
  const known = canonicalCache.get(value);
  if (known !== undefined) return known;
  const text = formatQuantity(parseQuantity(value));
  if (canonicalCache.size >= CANONICAL_CACHE_MAX) canonicalCache.clear();
  canonicalCache.set(value, text);
  return text;
}

function aligned(a: Quantity, b: Quantity): readonly [bigint, bigint, number] {
  if (a.exponent === b.exponent) return [a.unscaled, b.unscaled, a.exponent];
  const low = Math.min(a.exponent, b.exponent);
  return [a.unscaled * pow10(a.exponent - low), b.unscaled * pow10(b.exponent - low), low];
}

/** Negative, zero or positive as `a` is less than, equal to or more than `b`. */
export function quantityCompare(a: Quantity, b: Quantity): number {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The sum, printed in the form of `a`, or of `b` when `a` is nought. */
export function quantityAdd(a: Quantity, b: Quantity): Quantity {
  const [x, y, exponent] = aligned(a, b);
  return { unscaled: x + y, exponent, format: a.unscaled === 0n ? b.format : a.format, text: undefined };
}

/** The difference, printed in the form of `a`, or of `b` when `a` is nought. */
export function quantitySub(a: Quantity, b: Quantity): Quantity {
  const [x, y, exponent] = aligned(a, b);
  return { unscaled: x - y, exponent, format: a.unscaled === 0n ? b.format : a.format, text: undefined };
}

/** -1, 0 or 1. */
export function quantitySign(quantity: Quantity): number {
  return quantity.unscaled < 0n ? -1 : quantity.unscaled > 0n ? 1 : 0;
}

/** The amount in units of 10^`power`, rounded away from zero and capped to 64 bits, as upstream's ScaledValue. */
export function quantityScaledValue(quantity: Quantity, power: number): bigint {
  const shift = quantity.exponent - power;
  const value = shift >= 0 ? quantity.unscaled * pow10(shift) : divideUp(quantity.unscaled, pow10(-shift));
  return value > INT64_MAX ? INT64_MAX : value < -INT64_MAX ? -INT64_MAX : value;
}

/** Thousandths, rounded up. Exact below 2^53. */
export function quantityMilliValue(quantity: Quantity): number {
  return Number(quantityScaledValue(quantity, -3));
}

/** Whole units, rounded up. Exact below 2^53. */
export function quantityValue(quantity: Quantity): number {
  return Number(quantityScaledValue(quantity, 0));
}

/** Rounds away from zero to a multiple of 10^`power` (upstream's RoundUp); unchanged when it is one already. */
export function quantityRoundUp(quantity: Quantity, power: number): Quantity {
  if (quantity.exponent >= power) return quantity;
  const unit = pow10(power - quantity.exponent);
  return { unscaled: divideUp(quantity.unscaled, unit), exponent: power, format: quantity.format, text: undefined };
}

/** An amount of `unscaled` × 10^`exponent`. */
export function newQuantity(unscaled: number | bigint, exponent: number, format: QuantityFormat): Quantity {
  return { unscaled: BigInt(unscaled), exponent, format, text: undefined };
}
