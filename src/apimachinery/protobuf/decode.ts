import { ProtobufError, type ReadField, WireReader } from "#base/wire-reader.ts";
import { formatGroupVersion, parseGroupVersion } from "../meta/api-object.ts";
import { setOwn } from "../schema/json-node.ts";
import type { PointerlessRawSchema, ScalarSchema, StructSchema, TypeSchema } from "../schema/type-schema.ts";
import { PROTOBUF_PREFIX } from "./envelope.ts";
import { layoutOf, type MessageLayout } from "./message-layout.ts";
import { readDuration, readIntOrString, readTexts, readTime } from "./well-known.ts";

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
  const reader = new WireReader(bytes);
  reader.fields(fieldReader(reader, layoutOf(schema), into));
  return into;
}

function readUnknown(bytes: Uint8Array): { apiVersion: string; kind: string; raw: Uint8Array } {
  let [apiVersion, kind, raw] = ["", "", new Uint8Array()];
  const reader = new WireReader(bytes);
  reader.fields((number, wire) => {
    if (number === 1 && wire === LENGTH_DELIMITED) [apiVersion = "", kind = ""] = readTexts(reader);
    else if (number === 2 && wire === LENGTH_DELIMITED) raw = new Uint8Array(reader.bytes());
    else reader.skip(wire);
  });
  return { apiVersion, kind, raw };
}

function fieldReader(reader: WireReader, layout: MessageLayout, into: Record<string, unknown>): ReadField {
  return (number, wire) => {
    const entry = layout.byNumber.get(number);
    if (entry === undefined) reader.skip(wire);
    else if ("inlined" in entry && wire === LENGTH_DELIMITED) reader.message(fieldReader(reader, entry.inlined, into));
    else if ("inlined" in entry) reader.skip(wire);
    else readField(entry.field.type, entry.field.name, reader, wire, into);
  };
}

function readField(type: TypeSchema, name: string, reader: WireReader, wire: number, into: Record<string, unknown>): void {
  const isRepeated = type.kind === "list" && !type.message;
  const wanted = wireOf(isRepeated ? type.element : type);
  if (wire !== wanted && !(isRepeated && wire === LENGTH_DELIMITED)) {
    throw new ProtobufError(`proto: wrong wireType = ${wire} for field ${name[0]?.toUpperCase()}${name.slice(1)}`);
  }
  if (isRepeated) {
    into[name] ??= [];
    const items = into[name] as unknown[];
    // Numbers may come packed: all in one field.
    if (wire !== wanted) reader.packed(() => items.push(readValue(type.element, reader)));
    else items.push(readValue(type.element, reader));
  } else if (type.kind === "map") {
    into[name] ??= {};
    const [key, value] = readEntry(type.value, reader);
    setOwn(into[name] as Record<string, unknown>, key, value);
  } else if (type.kind === "struct") {
    // A message that comes in several pieces is one.
    into[name] = readStruct(type, reader, into[name] as Record<string, unknown> | undefined);
  } else into[name] = readValue(type, reader);
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

function wireOf(type: TypeSchema): number {
  if (type.kind !== "scalar") return LENGTH_DELIMITED;
  if (type.format === "float64") return FIXED64;
  return ["bool", "int32", "int64", "uint8"].includes(type.format) ? VARINT : LENGTH_DELIMITED;
}

function readEntry(type: TypeSchema, reader: WireReader): [string, unknown] {
  let key = "";
  let value: unknown;
  reader.message((number, wire) => {
    if (number === 1 && wire === LENGTH_DELIMITED) key = reader.text();
    else if (number === 2 && wire === wireOf(type)) value = readValue(type, reader);
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

function readValue(type: TypeSchema, reader: WireReader): unknown {
  switch (type.kind) {
    case "struct":
      return readStruct(type, reader);
    case "raw":
      return type.union === undefined ? readJson(reader) : readUnion(type.union, reader);
    case "list":
      return readItems(type.element, reader);
    case "map":
      throw new ProtobufError("proto: a map cannot stand in a list");
    case "scalar":
      return readScalar(type, reader);
  }
}

function readStruct(schema: StructSchema, reader: WireReader, into: Record<string, unknown> = {}): Record<string, unknown> {
  reader.message(fieldReader(reader, layoutOf(schema), into));
  return into;
}

/** A list that is a message: `repeated ... items = 1`. */
function readItems(element: TypeSchema, reader: WireReader): unknown[] {
  const items: unknown[] = [];
  reader.message((number, wire) => {
    if (number === 1 && wire === wireOf(element)) items.push(readValue(element, reader));
    else reader.skip(wire);
  });
  return items;
}

/** RawExtension, FieldsV1 and JSON carry JSON text in field 1. */
function readJson(reader: WireReader): unknown {
  const text = readTexts(reader)[0] ?? "";
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtobufError("an embedded object is no JSON");
  }
}

/** JSONSchemaPropsOrBool and its like: a field for each shape. */
function readUnion(union: NonNullable<PointerlessRawSchema["union"]>, reader: WireReader): unknown {
  let object: unknown;
  let allows = false;
  const items: unknown[] = [];
  const array = union.array();
  reader.message((number, wire) => {
    if (wire === LENGTH_DELIMITED && number === (union.bool ? 2 : 1)) object = readStruct(union.object(), reader);
    else if (wire === VARINT && number === 1 && union.bool) allows = reader.integer() !== 0;
    else if (wire === LENGTH_DELIMITED && number === 2 && array?.kind === "list") items.push(readValue(array.element, reader));
    else reader.skip(wire);
  });
  return object ?? (union.bool ? allows : items.length > 0 ? items : null);
}

function readScalar(type: ScalarSchema, reader: WireReader): unknown {
  switch (type.format) {
    case "string":
      return reader.text();
    case "bytes":
      return reader.bytes().toString("base64");
    case "bool":
      return reader.varint() !== 0n;
    case "int32":
    case "int64":
    case "uint8":
      return reader.integer();
    case "float64":
      return reader.double();
    case "quantity":
      return readTexts(reader)[0] ?? "0";
    case "time":
    case "micro-time":
      return readTime(reader, type.format);
    case "duration":
      return readDuration(reader);
    case "int-or-string":
      return readIntOrString(reader);
  }
}
