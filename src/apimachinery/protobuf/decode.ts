import { formatGroupVersion, parseGroupVersion } from "../meta/api-object.ts";
import type { ScalarSchema, StructSchema, TypeSchema } from "../schema/type-schema.ts";
import { layoutOf, type MessageLayout } from "./message-layout.ts";
import { ProtobufError, WireReader } from "./wire-reader.ts";

/** `k8s\0`, which every object in Kubernetes' protobuf form begins with (runtime/serializer/protobuf). */
export const PROTOBUF_PREFIX: Uint8Array = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

type SchemaFor = (group: string, version: string, kind: string) => StructSchema | undefined;

/** An object out of Kubernetes' protobuf form: the prefix, a `runtime.Unknown`, and in it the kind's own message. Throws {@link ProtobufError}. */
export function decodeProtobuf(bytes: Uint8Array, schemaFor: SchemaFor): Record<string, unknown> {
  if (PROTOBUF_PREFIX.some((byte, i) => bytes[i] !== byte)) {
    throw new ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  const { apiVersion, kind, raw } = readUnknown(bytes.subarray(PROTOBUF_PREFIX.length));
  const { group, version } = parseGroupVersion(apiVersion);
  const schema = schemaFor(group, version, kind);
  if (schema === undefined) return { apiVersion, kind };
  return { ...readMessage(schema, raw), apiVersion: formatGroupVersion(group, version), kind };
}

function readUnknown(bytes: Uint8Array): { apiVersion: string; kind: string; raw: Uint8Array } {
  const reader = new WireReader(bytes);
  let [apiVersion, kind, raw] = ["", "", new Uint8Array()];
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1) [apiVersion, kind] = readTypeMeta(reader.bytes());
    else if (number === 2) raw = new Uint8Array(reader.bytes());
    else reader.skip(wire);
  }
  return { apiVersion, kind, raw };
}

function readTypeMeta(bytes: Uint8Array): [string, string] {
  const [apiVersion, kind] = readTexts(bytes);
  return [apiVersion ?? "", kind ?? ""];
}

/** Fields 1, 2, ... of a message that has only texts. */
function readTexts(bytes: Uint8Array): string[] {
  const texts: string[] = [];
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (wire === 2) texts[number - 1] = reader.text();
    else reader.skip(wire);
  }
  return texts;
}

function readMessage(schema: StructSchema, bytes: Uint8Array): Record<string, unknown> {
  const into: Record<string, unknown> = {};
  readFields(layoutOf(schema), bytes, into);
  return into;
}

function readFields(layout: MessageLayout, bytes: Uint8Array, into: Record<string, unknown>): void {
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { number, wire } = reader.tag();
    const entry = layout.get(number);
    if (entry === undefined) reader.skip(wire);
    else if ("inlined" in entry) readFields(entry.inlined, reader.bytes(), into);
    else readField(entry.field.type, entry.field.name, reader, wire, into);
  }
}

function readField(type: TypeSchema, name: string, reader: WireReader, wire: number, into: Record<string, unknown>): void {
  switch (type.kind) {
    case "list": {
      // A named list such as ExtraValue is a message of its own, whose field 1 repeats.
      into[name] ??= [];
      (into[name] as unknown[]).push(readValue(type.element, reader, wire));
      return;
    }
    case "map": {
      into[name] ??= {};
      const [key, value] = readEntry(type.value, reader.bytes());
      (into[name] as Record<string, unknown>)[key] = value;
      return;
    }
    default:
      into[name] = readValue(type, reader, wire);
  }
}

function readEntry(type: TypeSchema, bytes: Uint8Array): [string, unknown] {
  const reader = new WireReader(bytes);
  let key = "";
  let value: unknown;
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1) key = reader.text();
    else if (number === 2) value = readValue(type, reader, wire);
    else reader.skip(wire);
  }
  return [key, value === undefined ? emptyValue(type) : value];
}

function emptyValue(type: TypeSchema): unknown {
  if (type.kind === "list") return [];
  if (type.kind !== "scalar") return {};
  if (type.format === "time" || type.format === "micro-time") return null;
  return type.format === "string" || type.format === "bytes" ? "" : type.format === "quantity" ? "0" : 0;
}

function readValue(type: TypeSchema, reader: WireReader, wire: number): unknown {
  switch (type.kind) {
    case "struct":
      return readMessage(type, reader.bytes());
    case "raw":
      return readRaw(reader.bytes());
    case "list":
      return readItems(type.element, reader.bytes());
    case "map":
      throw new ProtobufError("proto: a map cannot stand in a list");
    case "scalar":
      return readScalar(type, reader, wire);
  }
}

/** A list that is a message: `repeated ... items = 1`. */
function readItems(element: TypeSchema, bytes: Uint8Array): unknown[] {
  const items: unknown[] = [];
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1) items.push(readValue(element, reader, wire));
    else reader.skip(wire);
  }
  return items;
}

/** RawExtension, FieldsV1 and JSON carry JSON text in field 1. */
function readRaw(bytes: Uint8Array): unknown {
  const text = readTexts(bytes)[0] ?? "";
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtobufError("an embedded object is no JSON");
  }
}

function readScalar(type: ScalarSchema, reader: WireReader, wire: number): unknown {
  switch (type.format) {
    case "string":
      return reader.text();
    case "bytes":
      return Buffer.from(reader.bytes()).toString("base64");
    case "bool":
      return reader.varint() !== 0n;
    case "int32":
    case "int64":
    case "uint8":
      return reader.integer();
    case "float64":
      if (wire !== 1) throw new ProtobufError(`proto: wrong wireType = ${wire} for a double`);
      return reader.double();
    case "quantity":
      return readTexts(reader.bytes())[0] ?? "0";
    case "time":
    case "micro-time":
      return readTime(reader.bytes(), type.format);
    case "duration":
      return readDuration(reader.bytes());
    case "int-or-string":
      return readIntOrString(reader.bytes());
  }
}

/** Fields 1, 2, ... of a message that has only integers. */
function readIntegers(bytes: Uint8Array): number[] {
  const values: number[] = [];
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (wire === 0) values[number - 1] = reader.integer();
    else reader.skip(wire);
  }
  return values;
}

/** Seconds and nanoseconds; an empty message is Go's zero time, which JSON writes as null. */
function readTime(bytes: Uint8Array, format: "time" | "micro-time"): string | null {
  const [seconds = 0, nanos = 0] = readIntegers(bytes);
  if (seconds === 0 && nanos === 0) return null;
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  return format === "time" ? `${text}Z` : `${text}.${String(Math.floor(nanos / 1000)).padStart(6, "0")}Z`;
}

function readDuration(bytes: Uint8Array): string {
  const [nanos = 0] = readIntegers(bytes);
  return `${nanos / 1e9}s`;
}

/** `type` (0 integer, 1 text), `intVal`, `strVal`. */
function readIntOrString(bytes: Uint8Array): number | string {
  const reader = new WireReader(bytes);
  let [kind, integer, text] = [0, 0, ""];
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1) kind = reader.integer();
    else if (number === 2) integer = reader.integer();
    else if (number === 3) text = reader.text();
    else reader.skip(wire);
  }
  return kind === 1 ? text : integer;
}
