import { WireReader } from "#base/wire-reader.ts";
import { WireWriter } from "#base/wire-writer.ts";
import { enumerations } from "./schema/enumerations.ts";
import { type MessageName, type MessageRead, type MessageWritten, messages } from "./schema/messages.ts";

type Value = Record<string, unknown>;

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const TWO_TO_64 = 2 ** 64;

/** How the value of a type stands on the wire. */
interface WireType {
  readonly wire: number;
  /** What is not sent; undefined for messages. */
  readonly zero: unknown;
  write(writer: WireWriter, value: unknown): void;
  read(reader: WireReader): unknown;
}

interface FieldPlan {
  readonly name: string;
  readonly number: number;
  readonly holds: "one" | "list" | "map";
  readonly type: WireType;
}

interface MessagePlan {
  /** Last one first, as the writer goes. */
  readonly fields: readonly FieldPlan[];
  readonly byNumber: ReadonlyMap<number, FieldPlan>;
}

const integer: WireType = {
  wire: VARINT,
  zero: 0,
  write: (writer, value) => writer.integer(value as number),
  read: (reader) => reader.integer(),
};
const unsigned: WireType = {
  ...integer,
  read: (reader) => {
    const value = reader.integer();
    return value < 0 ? value + TWO_TO_64 : value;
  },
};
const scalars: Readonly<Record<string, WireType>> = {
  int32: integer,
  int64: integer,
  uint32: integer,
  uint64: unsigned,
  bool: {
    wire: VARINT,
    zero: false,
    write: (writer, value) => writer.boolean(value as boolean),
    read: (reader) => reader.integer() !== 0,
  },
  double: {
    wire: FIXED_64,
    zero: 0,
    write: (writer, value) => writer.double(value as number),
    read: (reader) => reader.double(),
  },
  string: {
    wire: LENGTH_DELIMITED,
    zero: "",
    write: (writer, value) => writer.text(value as string),
    read: (reader) => reader.text(),
  },
  bytes: {
    wire: LENGTH_DELIMITED,
    zero: Buffer.alloc(0),
    write: (writer, value) => (typeof value === "string" ? writer.text(value) : writer.bytes(value as Uint8Array)),
    read: (reader) => reader.bytes(),
  },
  Int64Value: wrapped(integer),
  UInt64Value: wrapped(unsigned),
};
const mapEntry: WireType = messageType(() => entryPlan);
const entryPlan: MessagePlan = planOf({ key: [1, "string"], value: [2, "string"] });
const plans = new Map<string, MessagePlan>();

/** The bytes of a message. */
export function encode<N extends MessageName>(name: N, message: MessageWritten<N>): WireWriter {
  const writer = new WireWriter();
  writeFields(writer, plan(name), message as Value);
  return writer;
}

/** A message from its bytes. Fields that are not known are passed over, names of enumerations that are not known read as the first. */
export function decode<N extends MessageName>(name: N, bytes: Uint8Array): MessageRead<N> {
  const reader = new WireReader(bytes);
  return readFields(plan(name), (read) => reader.fields(read), reader) as MessageRead<N>;
}

function plan(name: string): MessagePlan {
  let known = plans.get(name);
  if (known === undefined) {
    known = planOf(messages[name as MessageName]);
    plans.set(name, known);
  }
  return known;
}

function planOf(declaration: Readonly<Record<string, readonly [number, string]>>): MessagePlan {
  const fields = Object.entries(declaration).map(([name, [number, type]]): FieldPlan => {
    if (type === "map") return { name, number, holds: "map", type: mapEntry };
    return { name, number, holds: type.endsWith("[]") ? "list" : "one", type: typeOf(type.replace("[]", "")) };
  });
  return planWith(fields);
}

function planWith(unordered: readonly FieldPlan[]): MessagePlan {
  const fields = [...unordered].sort((a, b) => b.number - a.number);
  return { fields, byNumber: new Map(fields.map((field) => [field.number, field])) };
}

function typeOf(name: string): WireType {
  const scalar = scalars[name];
  if (scalar !== undefined) return scalar;
  if (Object.hasOwn(enumerations, name)) return enumeration(enumerations[name as keyof typeof enumerations]);
  return messageType(() => plan(name));
}

/** A plan is looked up when it is needed, so that messages may be declared in any order. */
function messageType(fields: () => MessagePlan): WireType {
  return {
    wire: LENGTH_DELIMITED,
    zero: undefined,
    write: (writer, value) => {
      const before = writer.length;
      writeFields(writer, fields(), value as Value);
      writer.lengthSince(before);
    },
    read: (reader) => readFields(fields(), (read) => reader.message(read), reader),
  };
}

/** 0 is sent as a message without fields. */
function wrapped(of: WireType): WireType {
  const fields: MessagePlan = planWith([{ name: "value", number: 1, holds: "one", type: of }]);
  const message = messageType(() => fields);
  return {
    ...message,
    write: (writer, value) => message.write(writer, { value }),
    read: (reader) => (message.read(reader) as { readonly value: unknown }).value,
  };
}

function enumeration(names: readonly string[]): WireType {
  return {
    wire: VARINT,
    zero: names[0],
    write: (writer, value) => writer.integer(names.indexOf(value as string)),
    read: (reader) => names[reader.integer()] ?? names[0],
  };
}

function writeFields(writer: WireWriter, { fields }: MessagePlan, message: Value): void {
  for (const { name, number, holds, type } of fields) {
    const value = message[name];
    if (value === undefined) continue;
    if (holds === "one") writeOne(writer, number, type, value);
    else if (holds === "map") {
      const entries = Object.entries(value as Record<string, string>);
      for (const [key, entry] of entries.reverse()) writeTagged(writer, number, type, { key, value: entry });
    } else if (type.wire === LENGTH_DELIMITED)
      for (const one of [...(value as readonly unknown[])].reverse()) writeTagged(writer, number, type, one);
    else writePacked(writer, number, type, value as readonly unknown[]);
  }
}

function writeOne(writer: WireWriter, number: number, type: WireType, value: unknown): void {
  const isZero = value === type.zero || (type.wire === LENGTH_DELIMITED && (value as { length?: number }).length === 0);
  if (!isZero) writeTagged(writer, number, type, value);
}

function writeTagged(writer: WireWriter, number: number, type: WireType, value: unknown): void {
  type.write(writer, value);
  writer.tag(number, type.wire);
}

function writePacked(writer: WireWriter, number: number, type: WireType, values: readonly unknown[]): void {
  if (values.length === 0) return;
  const before = writer.length;
  for (const value of [...values].reverse()) type.write(writer, value);
  writer.lengthSince(before);
  writer.tag(number, LENGTH_DELIMITED);
}

function readFields(
  { fields, byNumber }: MessagePlan,
  each: (read: (number: number, wire: number) => void) => void,
  reader: WireReader,
): Value {
  const message: Value = {};
  for (const { name, holds, type } of fields) message[name] = holds === "one" ? type.zero : holds === "list" ? [] : {};
  each((number, wire) => {
    const field = byNumber.get(number);
    if (field === undefined) reader.skip(wire);
    else readField(field, wire, message, reader);
  });
  return message;
}

function readField({ name, holds, type }: FieldPlan, wire: number, message: Value, reader: WireReader): void {
  const list = message[name] as unknown[];
  if (wire !== type.wire) {
    if (holds === "list" && wire === LENGTH_DELIMITED) reader.packed(() => list.push(type.read(reader)));
    else reader.skip(wire);
  } else if (holds === "one") message[name] = type.read(reader);
  else if (holds === "list") list.push(type.read(reader));
  else {
    const { key, value } = type.read(reader) as { readonly key: string; readonly value: string };
    (message[name] as Record<string, string>)[key] = value;
  }
}
