import { goQuote } from "../validation/field-error.ts";

/** The layouts of metav1.Time and metav1.MicroTime. */
export type TimeLayout = "2006-01-02T15:04:05Z07:00" | "2006-01-02T15:04:05.000000Z07:00";

export const TIME_LAYOUT: TimeLayout = "2006-01-02T15:04:05Z07:00";
export const MICRO_TIME_LAYOUT: TimeLayout = "2006-01-02T15:04:05.000000Z07:00";

const FIXED = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;
const FIXED_MICROS = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/;

/** The text in UTC to the second, or null for Go's zero time. Throws an Error with the message of Go's `time.Parse`. */
export function canonicalTime(text: string): string | null {
  if (FIXED.test(text)) return text.startsWith("0001-01-01T00:00:00") ? null : text;
  const { seconds } = parseGoTime(text, TIME_LAYOUT);
  return isZero(seconds) ? null : `${utcText(seconds)}Z`;
}

/** As {@link canonicalTime}, to the microsecond. */
export function canonicalMicroTime(text: string): string | null {
  if (FIXED_MICROS.test(text)) return text === "0001-01-01T00:00:00.000000Z" ? null : text;
  const { seconds, fraction } = parseGoTime(text, MICRO_TIME_LAYOUT);
  return isZero(seconds) && Number(fraction) === 0 ? null : `${utcText(seconds)}.${fraction.padEnd(6, "0").slice(0, 6)}Z`;
}

const ZERO_SECONDS = Date.parse("0001-01-01T00:00:00Z") / 1000;

function isZero(seconds: number): boolean {
  return seconds === ZERO_SECONDS;
}

/** A zone can move a time beyond the years of four digits, which Go writes as they are (and does not read again). */
function utcText(seconds: number): string {
  const date = new Date(seconds * 1000);
  const year = date.getUTCFullYear();
  return `${year < 0 ? "-" : ""}${String(Math.abs(year)).padStart(4, "0")}${date.toISOString().slice(-20, -5)}`;
}

interface Parsed {
  /** Since the epoch, in UTC. */
  seconds: number;
  /** Digits after the decimal point. */
  fraction: string;
}

/** Go's `time.Parse` for the two layouts, step by step so that its messages come out alike. */
export function parseGoTime(text: string, layout: TimeLayout): Parsed {
  const reader = new Reader(text, layout);
  const year = reader.digits(4, "2006");
  reader.literal("-");
  const month = reader.digits(2, "01");
  if (month < 1 || month > 12) reader.outOfRange("month");
  reader.literal("-");
  const day = reader.digits(2, "02");
  reader.literal("T");
  const hour = reader.hour();
  reader.literal(":");
  const minute = reader.digits(2, "04");
  if (minute >= 60) reader.outOfRange("minute");
  reader.literal(":");
  const second = reader.digits(2, "05");
  if (second >= 60) reader.outOfRange("second");
  const fraction = layout === MICRO_TIME_LAYOUT ? reader.micros() : reader.optionalFraction();
  const offset = reader.zone();
  reader.end();
  const days = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  if (day < 1 || day > days) reader.outOfRange("day");
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return { seconds: date.getTime() / 1000 - offset, fraction };
}

class Reader {
  readonly #text: string;
  readonly #layout: string;
  #rest: string;

  constructor(text: string, layout: string) {
    this.#text = text;
    this.#layout = layout;
    this.#rest = text;
  }

  #fail(element: string, rest = this.#rest): never {
    throw new Error(
      `parsing time ${goQuote(this.#text)} as ${goQuote(this.#layout)}: cannot parse ${goQuote(rest)} as ${goQuote(element)}`,
    );
  }

  outOfRange(what: string): never {
    throw new Error(`parsing time ${goQuote(this.#text)}: ${what} out of range`);
  }

  digits(count: number, element: string): number {
    const found = this.#rest.slice(0, count);
    if (found.length < count || !/^\d+$/.test(found)) this.#fail(element);
    this.#rest = this.#rest.slice(count);
    return Number(found);
  }

  /** Go takes one digit too. */
  hour(): number {
    const found = /^\d\d?/.exec(this.#rest)?.[0];
    if (found === undefined) this.#fail("15");
    this.#rest = this.#rest.slice(found.length);
    if (Number(found) >= 24) this.outOfRange("hour");
    return Number(found);
  }

  literal(character: string): void {
    if (!this.#rest.startsWith(character)) this.#fail(character);
    this.#rest = this.#rest.slice(1);
  }

  micros(): string {
    const found = /^[.,](\d{6})/.exec(this.#rest)?.[1];
    if (found === undefined) this.#fail(".000000");
    this.#rest = this.#rest.slice(7);
    return found;
  }

  optionalFraction(): string {
    const found = /^[.,](\d+)/.exec(this.#rest);
    if (found === null) return "";
    this.#rest = this.#rest.slice(found[0].length);
    return found[1] ?? "";
  }

  /** Seconds east of UTC. */
  zone(): number {
    if (this.#rest.startsWith("Z")) {
      this.#rest = this.#rest.slice(1);
      return 0;
    }
    const found = /^([+-])(\d\d):(\d\d)/.exec(this.#rest);
    if (found === null) this.#fail("Z07:00");
    this.#rest = this.#rest.slice(6);
    const hours = Number(found[2]);
    const minutes = Number(found[3]);
    if (hours > 24) this.outOfRange("time zone offset hour");
    if (minutes > 60) this.outOfRange("time zone offset minute");
    return (found[1] === "-" ? -1 : 1) * (hours * 3600 + minutes * 60);
  }

  end(): void {
    if (this.#rest !== "") throw new Error(`parsing time ${goQuote(this.#text)}: extra text: ${goQuote(this.#rest)}`);
  }
}
