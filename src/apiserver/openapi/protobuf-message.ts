import type { Json } from "./type-document.ts";

/** Eight bytes that stand for themselves, as a double does. */
export class Fixed64 {
  readonly bytes: Buffer = Buffer.alloc(8);

  constructor(value: number) {
    this.bytes.writeDoubleLE(value);
  }
}

/** Writes one value as the payload of a field: its bytes, or a boolean or whole number. Undefined leaves the field out. */
export type Encode = (value: never) => Uint8Array | Fixed64 | number | undefined;

/** Fields by JSON name: number, and how the value is written; `repeated` for lists. */
export interface Message {
  readonly fields: Readonly<Record<string, { readonly number: number; readonly encode: Encode; readonly repeated?: boolean }>>;
  /** Number of the field that takes the `x-` extensions. */
  readonly extensions?: number;
}

const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  // Not by bits: numbers may have more than 32.
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** A field: its tag, and its payload with a length before it, or a number. */
export function field(number: number, payload: Uint8Array | Fixed64 | number): Buffer {
  if (payload instanceof Fixed64) return Buffer.concat([varint((number << 3) | FIXED_64), payload.bytes]);
  if (typeof payload === "number") return Buffer.concat([varint(number << 3), varint(payload)]);
  return Buffer.concat([varint((number << 3) | LENGTH_DELIMITED), varint(payload.length), payload]);
}

/** The fields of a JSON object that a table knows. */
export function message(spec: Message, value: Json): Buffer {
  const parts: Buffer[] = [];
  for (const [name, { number, encode, repeated }] of Object.entries(spec.fields)) {
    const given = value[name];
    if (given === undefined) continue;
    for (const item of repeated ? (given as never[]) : [given as never]) {
      const payload = encode(item);
      if (payload !== undefined) parts.push(field(number, payload));
    }
  }
  if (spec.extensions !== undefined) {
    for (const [name, item] of Object.entries(value)) {
      if (name.startsWith("x-")) parts.push(field(spec.extensions, named(name, any(item))));
    }
  }
  return Buffer.concat(parts);
}

/** A string; empty ones are left out. */
export const text: Encode = (value: string) => (value === "" ? undefined : Buffer.from(value));
/** A boolean; false is left out. */
export const flag: Encode = (value: boolean) => (value ? 1 : undefined);

/** A whole number; zero and negative ones, which no document has here, are left out. */
export const whole: Encode = (value: number) => (value > 0 ? value : undefined);
/** A number; zero is left out. */
export const double: Encode = (value: number) => (value === 0 ? undefined : new Fixed64(value));

/** A message within a message; its table may be one that is still being made. */
export function object(spec: () => Message): Encode {
  return (value: Json) => message(spec(), value);
}

/** Any value, as YAML; JSON is YAML. */
export function any(value: unknown): Buffer {
  return field(2, Buffer.from(`${JSON.stringify(value)}\n`));
}

function named(name: string, value: Uint8Array): Buffer {
  return Buffer.concat([field(1, Buffer.from(name)), field(2, value)]);
}

/** A map as a list of pairs, within a message whose only field it is. */
export function pairs(encode: (value: Json) => Uint8Array, number = 1): Encode {
  return (value: Json) =>
    Buffer.concat(Object.entries(value).map(([name, item]) => field(number, named(name, encode(item as Json)))));
}
