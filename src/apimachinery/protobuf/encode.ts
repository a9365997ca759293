import { WireWriter } from "#base/wire-writer.ts";
import type {
  FieldSchema,
  ListSchema,
  PointerlessRawSchema,
  ScalarSchema,
  StructSchema,
  TypeSchema,
} from "../schema/type-schema.ts";
import { layoutOf, type MessageLayout } from "./message-layout.ts";
import { writeDuration, writeIntOrString, writeQuantity, writeTime } from "./well-known.ts";

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

type Members = Readonly<Record<string, unknown>>;

/**
 * An object's message as upstream's generated code would write it, byte for byte: fields in order, those that Go holds by
 * value always there, maps sorted. `kind` and `apiVersion` are no part of it. The object is in its canonical JSON form.
 */
export function encodeMessage(schema: StructSchema, object: object): Buffer {
  const writer = new WireWriter();
  writeMessage(writer, schema, object);
  return writer.finish();
}

/** Writes what {@link encodeMessage} gives where it is to stand within something larger. */
export function writeMessage(writer: WireWriter, schema: StructSchema, object: object): void {
  writeFields(writer, layoutOf(schema), object as Members);
}

function writeFields(writer: WireWriter, layout: MessageLayout, object: Members): void {
  for (const [number, entry] of layout.descending) {
    if ("inlined" in entry) {
      const before = writer.length;
      writeFields(writer, entry.inlined, object);
      writer.lengthSince(before);
      writer.tag(number, LENGTH_DELIMITED);
    } else writeField(writer, number, entry.field, object[entry.field.name]);
  }
}

function writeField(writer: WireWriter, number: number, field: FieldSchema, value: unknown): void {
  const { type } = field;
  switch (type.kind) {
    case "list":
      if (type.message && value !== undefined && value !== null)
        writeMessageList(writer, number, type, value as readonly unknown[]);
      else if (Array.isArray(value)) {
        for (let i = value.length - 1; i >= 0; i--) writeValue(writer, number, type.element, value[i]);
      }
      return;
    case "map":
      if (value !== undefined && value !== null) writeMap(writer, number, type.value, value as Members);
      return;
    default:
      if (value === undefined || value === null ? !isWrittenAbsent(field, value) : false) return;
      writeValue(writer, number, type, value);
  }
}

/** Go writes what it holds by value even when it is zero. A null pointer to a time points to the zero time. */
function isWrittenAbsent({ type, pointer, omitEmpty }: FieldSchema, value: unknown): boolean {
  if (type.kind !== "scalar") return !pointer;
  if (type.format === "bytes") return false;
  if (!pointer) return true;
  return value === null && omitEmpty && (type.format === "time" || type.format === "micro-time");
}

/** One field with its tag; an absent value is written as zero. */
function writeValue(writer: WireWriter, number: number, type: TypeSchema, value: unknown): void {
  if (type.kind === "scalar") {
    writer.tag(number, writeScalar(writer, type, value));
    return;
  }
  if (type.kind === "list") {
    writeMessageList(writer, number, type, (value ?? []) as readonly unknown[]);
    return;
  }
  const before = writer.length;
  if (type.kind === "struct") writeFields(writer, layoutOf(type), (value ?? {}) as Members);
  else if (type.kind === "raw") writeRaw(writer, type, value);
  writer.lengthSince(before);
  writer.tag(number, LENGTH_DELIMITED);
}

function writeMessageList(writer: WireWriter, number: number, type: ListSchema, items: readonly unknown[]): void {
  const before = writer.length;
  for (let i = items.length - 1; i >= 0; i--) writeValue(writer, 1, type.element, items[i]);
  writer.lengthSince(before);
  writer.tag(number, LENGTH_DELIMITED);
}

function writeMap(writer: WireWriter, number: number, type: TypeSchema, map: Members): void {
  const keys = Object.keys(map).sort(compareBytes);
  for (let i = keys.length - 1; i >= 0; i--) {
    const key = keys[i] as string;
    const value = map[key];
    const before = writer.length;
    const isNil = type.kind === "scalar" && type.format === "bytes" && (value === undefined || value === null);
    if (!isNil) writeValue(writer, 2, type, value);
    writer.text(key);
    writer.tag(1, LENGTH_DELIMITED);
    writer.lengthSince(before);
    writer.tag(number, LENGTH_DELIMITED);
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII begins with control characters.
const ASCII = /^[\x00-\x7f]*$/;

/** Go sorts texts by their UTF-8 bytes. */
function compareBytes(a: string, b: string): number {
  if (ASCII.test(a) && ASCII.test(b)) return a < b ? -1 : a > b ? 1 : 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Writes a scalar and returns its wire type. */
function writeScalar(writer: WireWriter, { format }: ScalarSchema, value: unknown): number {
  switch (format) {
    case "string":
      writer.text((value ?? "") as string);
      return LENGTH_DELIMITED;
    case "bytes":
      writer.bytes(Buffer.from((value ?? "") as string, "base64"));
      return LENGTH_DELIMITED;
    case "bool":
      writer.boolean(value === true);
      return VARINT;
    case "int32":
    case "int64":
    case "uint8":
      writer.integer((value ?? 0) as number);
      return VARINT;
    case "float64":
      writer.double((value ?? 0) as number);
      return FIXED64;
    default: {
      const before = writer.length;
      writeWellKnown(writer, format, value);
      writer.lengthSince(before);
      return LENGTH_DELIMITED;
    }
  }
}

function writeWellKnown(writer: WireWriter, format: ScalarSchema["format"], value: unknown): void {
  switch (format) {
    case "quantity":
      writeQuantity(writer, value as string | undefined);
      return;
    case "time":
    case "micro-time":
      writeTime(writer, value as string | null | undefined);
      return;
    case "duration":
      writeDuration(writer, (value ?? "0s") as string);
      return;
    default:
      writeIntOrString(writer, (value ?? 0) as number | string);
  }
}

/** RawExtension, FieldsV1 and JSON carry JSON text in field 1; types of several shapes have a field for each. */
function writeRaw(writer: WireWriter, type: PointerlessRawSchema, value: unknown): void {
  if (value === undefined || value === null) {
    if (type.union?.bool) {
      writer.boolean(false);
      writer.tag(1, VARINT);
    }
    return;
  }
  const { union } = type;
  if (union === undefined) {
    writer.text(JSON.stringify(value));
    writer.tag(1, LENGTH_DELIMITED);
    return;
  }
  const isObject = typeof value === "object" && !Array.isArray(value);
  if (union.bool) {
    if (isObject) writeValue(writer, 2, union.object(), value);
    writer.boolean(isObject || value === true);
    writer.tag(1, VARINT);
    return;
  }
  if (isObject) writeValue(writer, 1, union.object(), value);
  const items = union.array();
  if (!Array.isArray(value) || items?.kind !== "list") return;
  for (let i = value.length - 1; i >= 0; i--) writeValue(writer, 2, items.element, value[i]);
}
