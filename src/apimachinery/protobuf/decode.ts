import { formatGroupVersion, parseGroupVersion } from "../meta/api-object.ts";
import type { PointerlessRawSchema, ScalarSchema, StructSchema, TypeSchema } from "../schema/type-schema.ts";
import { PROTOBUF_PREFIX } from "./envelope.ts";
import { layoutOf, type MessageLayout } from "./message-layout.ts";
import { eachField, readDuration, readIntOrString, readTexts, readTime } from "./well-known.ts";
import { ProtobufError, type WireReader } from "./wire-reader.ts";

type SchemaFor = (group: string, version: string, kind: string) => StructSchema | undefined;

/** An object out of Kubernetes' protobuf form: the prefix, a `runtime.Unknown`, and in it the kind's own message. Throws {@link ProtobufError}. */
export function decodeProtobuf(bytes: Uint8Array, schemaFor: SchemaFor): Record<string, unknown> {
  if (bytes.length === 0) throw new ProtobufError("empty data");
  if (PROTOBUF_PREFIX.some((byte, i) => bytes[i] !== byte)) {
    throw new ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  if (bytes.length === PROTOBUF_PREFIX.length) throw new ProtobufError("empty body");
  const { apiVersion, kind, raw } = readUnknown(bytes.subarray(PROTOBUF_PREFIX.length));
  const { group, version } = parseGroupVersion(apiVersion);
  const schema = schemaFor(group, version, kind);
  if (schema === undefined) return { apiVersion, kind };
  return { ...decodeMessage(schema, raw), apiVersion: formatGroupVersion(group, version), kind };
}

/** A message of a struct as JSON would have it; not yet in its canonical form. */
export function decodeMessage(schema: StructSchema, bytes: Uint8Array): Record<string, unknown> {
  const into: Record<string, unknown> = {};
  readFields(layoutOf(schema), bytes, into);
  return into;
}

function readUnknown(bytes: Uint8Array): { apiVersion: string; kind: string; raw: Uint8Array } {
  let [apiVersion, kind, raw] = ["", "", new Uint8Array()];
  eachField(bytes, (reader, number, wire) => {
    if (number === 1) [apiVersion = "", kind = ""] = readTexts(reader.bytes());
    else if (number === 2) raw = new Uint8Array(reader.bytes());
    else reader.skip(wire);
  });
  return { apiVersion, kind, raw };
}

function readFields(layout: MessageLayout, bytes: Uint8Array, into: Record<string, unknown>): void {
  eachField(bytes, (reader, number, wire) => {
    const entry = layout.byNumber.get(number);
    if (entry === undefined) reader.skip(wire);
    else if ("inlined" in entry) readFields(entry.inlined, reader.bytes(), into);
    else readField(entry.field.type, entry.field.name, reader, wire, into);
  });
}

function readField(type: TypeSchema, name: string, reader: WireReader, wire: number, into: Record<string, unknown>): void {
  if (type.kind === "list" && !type.message) {
    into[name] ??= [];
    (into[name] as unknown[]).push(readValue(type.element, reader, wire));
  } else if (type.kind === "map") {
    into[name] ??= {};
    const [key, value] = readEntry(type.value, reader.bytes());
    Object.defineProperty(into[name], key, { value, enumerable: true, writable: true, configurable: true });
  } else into[name] = readValue(type, reader, wire);
}

function readEntry(type: TypeSchema, bytes: Uint8Array): [string, unknown] {
  let key = "";
  let value: unknown;
  eachField(bytes, (reader, number, wire) => {
    if (number === 1) key = reader.text();
    else if (number === 2) value = readValue(type, reader, wire);
    else reader.skip(wire);
  });
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
      return decodeMessage(type, reader.bytes());
    case "raw":
      return type.union === undefined ? readJson(reader.bytes()) : readUnion(type.union, reader.bytes());
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
  eachField(bytes, (reader, number, wire) => {
    if (number === 1) items.push(readValue(element, reader, wire));
    else reader.skip(wire);
  });
  return items;
}

/** RawExtension, FieldsV1 and JSON carry JSON text in field 1. */
function readJson(bytes: Uint8Array): unknown {
  const text = readTexts(bytes)[0] ?? "";
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtobufError("an embedded object is no JSON");
  }
}

/** JSONSchemaPropsOrBool and its like: a field for each shape. */
function readUnion(union: NonNullable<PointerlessRawSchema["union"]>, bytes: Uint8Array): unknown {
  let object: unknown;
  let allows = false;
  const items: unknown[] = [];
  const array = union.array();
  eachField(bytes, (reader, number, wire) => {
    if (number === (union.bool ? 2 : 1)) object = decodeMessage(union.object(), reader.bytes());
    else if (number === 1 && union.bool) allows = reader.integer() !== 0;
    else if (number === 2 && array?.kind === "list") items.push(readValue(array.element, reader, wire));
    else reader.skip(wire);
  });
  return object ?? (union.bool ? allows : items.length > 0 ? items : null);
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
