/** What sort of type a {@link CelType} is. */
export type TypeKind =
  | "dyn"
  | "error"
  | "null"
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "duration"
  | "timestamp"
  | "list"
  | "map"
  | "struct"
  | "opaque"
  | "type"
  | "param";

/** A type of CEL's checker. Structs and opaque types are told apart by name; lists, maps, optionals and `type` have parameters. */
export interface CelType {
  readonly kind: TypeKind;
  readonly name: string;
  readonly params: readonly CelType[];
}

function simple(kind: TypeKind, name: string = kind): CelType {
  return { kind, name, params: [] };
}

/** The types without parameters. */
export const DYN: CelType = simple("dyn");
/** The type of what did not check; assignable to all, so that one mistake gives one message. */
export const ERROR: CelType = simple("error", "!error!");
export const NULL: CelType = simple("null", "null_type");
export const BOOL: CelType = simple("bool");
export const INT: CelType = simple("int");
export const UINT: CelType = simple("uint");
export const DOUBLE: CelType = simple("double");
export const STRING: CelType = simple("string");
export const BYTES: CelType = simple("bytes");
export const DURATION: CelType = simple("duration", "google.protobuf.Duration");
export const TIMESTAMP: CelType = simple("timestamp", "google.protobuf.Timestamp");
/** The type of types, of which one no more is known. */
export const TYPE: CelType = simple("type");

/** A list of one type of element. */
export function listOf(element: CelType): CelType {
  return { kind: "list", name: "list", params: [element] };
}

/** A map. */
export function mapOf(key: CelType, value: CelType): CelType {
  return { kind: "map", name: "map", params: [key, value] };
}

/** A value that may be absent. */
export function optionalOf(value: CelType): CelType {
  return { kind: "opaque", name: "optional_type", params: [value] };
}

/** The type of a type, as the name `string` in an expression has. */
export function typeOf(type: CelType): CelType {
  return { kind: "type", name: "type", params: [type] };
}

/** A type variable of a function's signature, or one that the checker makes. */
export function typeParam(name: string): CelType {
  return simple("param", name);
}

/** An object with declared fields, or one of the library's types that upstream declares as objects. */
export function structOf(name: string): CelType {
  return simple("struct", name);
}

/** A library type without fields. */
export function opaqueOf(name: string): CelType {
  return simple("opaque", name);
}

/** Whether two types are the same, parameters included. */
export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.name !== b.name || a.params.length !== b.params.length) return false;
  return a.params.every((param, index) => sameType(param, b.params[index] ?? ERROR));
}

/** What an optional holds; undefined for other types. */
export function optionalParam(type: CelType): CelType | undefined {
  return type.kind === "opaque" && type.name === "optional_type" ? type.params[0] : undefined;
}

/** Whether all is known of a value's size by its type alone. */
export function isScalar(type: CelType): boolean {
  switch (type.kind) {
    case "bool":
    case "double":
    case "duration":
    case "int":
    case "timestamp":
    case "uint":
      return true;
    default: {
      const inner = optionalParam(type);
      return inner !== undefined && isScalar(inner);
    }
  }
}

const SHOWN: Partial<Record<TypeKind, string>> = {
  duration: "duration",
  error: "!error!",
  null: "null",
  timestamp: "timestamp",
};

/** A type as messages name it; cel-go's `FormatCELType`. */
export function formatType(type: CelType): string {
  const shown = SHOWN[type.kind];
  if (shown !== undefined) return shown;
  return type.params.length === 0 ? type.name : `${type.name}(${type.params.map(formatType).join(", ")})`;
}

/** A call's arguments as messages name them; the first is the receiver of a method. */
export function formatSignature(args: readonly CelType[], member: boolean): string {
  const shown = args.map(formatType);
  return member ? `${shown[0]}.(${shown.slice(1).join(", ")})` : `(${shown.join(", ")})`;
}
