import { goFieldName } from "./go-field-name.ts";
import { dumpQuantity } from "./go-quantity-dump.ts";
import type { FieldSchema, ScalarSchema, StructSchema, TypeSchema } from "./type-schema.ts";

const NIL = "<nil>";
const ZERO_TIME = "{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}";
/** Seconds from Go's year 1 to the Unix epoch. */
const UNIX_TO_INTERNAL = 62_135_596_800;

const GO_TYPES: Readonly<Record<string, string>> = {
  quantity: "resource.Quantity",
  time: "v1.Time",
  "micro-time": "v1.MicroTime",
  duration: "v1.Duration",
  "int-or-string": "intstr.IntOrString",
  bytes: "[]uint8",
};

/**
 * A value as Go's `dump.ForHash` prints it: every field with its name and type, absent ones too. Upstream hashes that text
 * for the names of ReplicaSets. Times that are set come out without their zone.
 */
export function goDump(schema: StructSchema, value: object): string {
  return `(${goTypeOf(schema)})${dump(schema, value)}`;
}

function dump(type: TypeSchema, value: unknown): string {
  switch (type.kind) {
    case "struct":
      return dumpStruct(type, isObject(value) ? value : {});
    case "list":
      return Array.isArray(value) && value.length > 0 ? `[${value.map((item) => dump(type.element, item)).join(" ")}]` : NIL;
    case "map":
      return dumpMap(type.value, value);
    case "scalar":
      return dumpScalar(type, value);
    case "raw":
      return value === undefined ? `{Raw:([]uint8)${NIL} Object:(runtime.Object)${NIL}}` : JSON.stringify(value);
  }
}

function dumpMap(type: TypeSchema, value: unknown): string {
  if (!isObject(value) || Object.keys(value).length === 0) return NIL;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, item]) => `${key}:${dump(type, item)}`).join(" ")}]`;
}

function dumpStruct(schema: StructSchema, value: Record<string, unknown>): string {
  return dumpFields([...schema.fields.values()], schema.name, value, 0);
}

/** The fields of a struct, or of one that is inlined in it at `depth`. */
function dumpFields(fields: readonly FieldSchema[], owner: string, value: Record<string, unknown>, depth: number): string {
  const parts: string[] = [];
  for (let i = 0; i < fields.length; ) {
    const field = fields[i] as FieldSchema;
    const inlined = field.embedded?.[depth];
    if (inlined === undefined) {
      parts.push(`${goFieldName(owner, field.name)}:${typed(field, value[field.name])}`);
      i++;
      continue;
    }
    let end = i;
    while (end < fields.length && fields[end]?.embedded?.[depth] === inlined) end++;
    parts.push(`${inlined}:(v1.${inlined})${dumpFields(fields.slice(i, end), inlined, value, depth + 1)}`);
    i = end;
  }
  return `{${parts.join(" ")}}`;
}

function typed({ type, pointer }: FieldSchema, value: unknown): string {
  const head = `(${pointer ? "*" : ""}${goTypeOf(type)})`;
  return head + (pointer && (value === undefined || value === null) ? NIL : dump(type, value));
}

function goTypeOf(type: TypeSchema): string {
  switch (type.kind) {
    case "raw":
      return "runtime.RawExtension";
    case "scalar":
      return GO_TYPES[type.format] ?? type.goType ?? type.format;
    case "list":
      return type.goType?.startsWith("[]") ? `[]${goTypeOf(type.element)}` : (type.goType ?? `[]${goTypeOf(type.element)}`);
    default:
      return type.goType ?? "";
  }
}

function dumpScalar({ format }: ScalarSchema, value: unknown): string {
  switch (format) {
    case "string":
      return String(value ?? "");
    case "bool":
      return String(value ?? false);
    case "quantity":
      return dumpQuantity(value === undefined || value === null ? undefined : String(value));
    case "time":
    case "micro-time":
      return dumpTime(value);
    case "int-or-string":
      return dumpIntOrString(value);
    case "bytes":
      return typeof value === "string" && value !== "" ? `[${[...Buffer.from(value, "base64")].join(" ")}]` : NIL;
    default:
      return String(value ?? 0);
  }
}

function dumpTime(value: unknown): string {
  if (typeof value !== "string") return ZERO_TIME;
  const seconds = Math.floor(Date.parse(value) / 1000) + UNIX_TO_INTERNAL;
  return ZERO_TIME.replace("ext:(int64)0", `ext:(int64)${seconds}`);
}

function dumpIntOrString(value: unknown): string {
  const isText = typeof value === "string";
  return `{Type:(intstr.Type)${isText ? 1 : 0} IntVal:(int32)${isText ? 0 : (value ?? 0)} StrVal:(string)${isText ? value : ""}}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
