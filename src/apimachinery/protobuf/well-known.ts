import { ProtobufError, type WireReader } from "#base/wire-reader.ts";
import type { WireWriter } from "#base/wire-writer.ts";

const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** The years 0 to 9999. */
const FIRST_SECOND = -62_167_219_200;
const LAST_SECOND = 253_402_300_799;

/** Fields 1, 2, ... of a message that has only texts. */
export function readTexts(reader: WireReader): string[] {
  const texts: string[] = [];
  reader.message((number, wire) => {
    if (wire === LENGTH_DELIMITED) texts[number - 1] = reader.text();
    else reader.skip(wire);
  });
  return texts;
}

/** Fields 1, 2, ... of a message that has only integers. */
function readIntegers(reader: WireReader): number[] {
  const values: number[] = [];
  reader.message((number, wire) => {
    if (wire === VARINT) values[number - 1] = reader.integer();
    else reader.skip(wire);
  });
  return values;
}

/** `Quantity`: its text. */
export function writeQuantity(writer: WireWriter, value: string | undefined): void {
  writer.text(value ?? "0");
  writer.tag(1, LENGTH_DELIMITED);
}

/** Seconds and nanoseconds; an empty message is Go's zero time, which JSON writes as null. */
export function readTime(reader: WireReader, format: "time" | "micro-time"): string | null {
  const values = readIntegers(reader);
  if (values.length === 0) return null;
  const [seconds = 0, nanos = 0] = values;
  // Beyond that Go cannot write the year either.
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND)
    throw new ProtobufError("Time.MarshalJSON: year outside of range [0,9999]");
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  return format === "time" ? `${text}Z` : `${text}.${String(Math.floor(nanos / 1000)).padStart(6, "0")}Z`;
}

/** As {@link readTime} reads it: times in UTC, with six decimals or none. */
export function writeTime(writer: WireWriter, value: string | null | undefined): void {
  if (value === undefined || value === null || value === "") return;
  if (value !== lastTime.text) lastTime = parseTime(value);
  writer.integer(lastTime.nanos);
  writer.tag(2, VARINT);
  writer.integer(lastTime.seconds);
  writer.tag(1, VARINT);
}

/** What is written at one time bears one time, mostly, several times over. */
let lastTime = { text: "", seconds: 0, nanos: 0 };

function parseTime(text: string): typeof lastTime {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? "";
  const nanos = fraction === "" ? 0 : Number(fraction.padEnd(9, "0").slice(0, 9));
  return { text, seconds: Math.floor(Date.parse(text) / 1000), nanos };
}

/** `Duration`: nanoseconds. */
export function readDuration(reader: WireReader): string {
  const [nanos = 0] = readIntegers(reader);
  return `${nanos / 1e9}s`;
}

const NANOS: Readonly<Record<string, number>> = { h: 3600e9, m: 60e9, s: 1e9, ms: 1e6, us: 1e3, µs: 1e3, ns: 1 };

/** From Go's text, such as `1h2m3.5s`. */
export function writeDuration(writer: WireWriter, text: string): void {
  let nanos = 0;
  for (const [, amount, unit = ""] of text.matchAll(/(?<![0-9.])([0-9.]+)(h|ms|\u00b5s|us|ns|m|s)/g))
    nanos += Number(amount) * (NANOS[unit] ?? 0);
  writer.integer(text.startsWith("-") ? -Math.round(nanos) : Math.round(nanos));
  writer.tag(1, VARINT);
}

/** `type` (0 integer, 1 text), `intVal`, `strVal`. */
export function readIntOrString(reader: WireReader): number | string {
  let [kind, integer, text] = [0, 0, ""];
  reader.message((number, wire) => {
    if (number === 1 && wire === VARINT) kind = reader.integer();
    else if (number === 2 && wire === VARINT) integer = reader.integer();
    else if (number === 3 && wire === LENGTH_DELIMITED) text = reader.text();
    else reader.skip(wire);
  });
  return kind === 1 ? text : integer;
}

/** As {@link readIntOrString} reads it; all three fields are always written. */
export function writeIntOrString(writer: WireWriter, value: number | string): void {
  const isText = typeof value === "string";
  writer.text(isText ? value : "");
  writer.tag(3, LENGTH_DELIMITED);
  writer.integer(isText ? 0 : value);
  writer.tag(2, VARINT);
  writer.integer(isText ? 1 : 0);
  writer.tag(1, VARINT);
}
