import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";
import { semanticEqual } from "../../meta/deep-equal.ts";
import { parseDuration, parseTimestamp } from "../time-text.ts";
import { CelError, CelMap, type CelValue, LibraryValue } from "../values.ts";
import { escapeName, unescapeName } from "./escape.ts";
import { SchemaList, SchemaMapList, SchemaSetList } from "./schema-list.ts";
import { isEmbedded, itemSchema, valueSchema, withTypeMeta } from "./schema-shape.ts";

/** A part of an object as expressions see it by its schema. Nothing is converted before it is looked at. Upstream's `UnstructuredToVal`. */
export function schemaValue(value: unknown, schema: JSONSchemaProps): CelValue {
  if (value === null || value === undefined) {
    if (schema.nullable === true) return null;
    throw new CelError("invalid data, got null for schema with nullable=false");
  }
  if (schema["x-kubernetes-int-or-string"] === true) {
    if (typeof value === "string" || typeof value === "bigint") return value;
    if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
    throw new CelError("invalid data, expected XIntOrString value to be either a string or integer");
  }
  switch (schema.type) {
    case "object":
      if (typeof value !== "object") throw new CelError("invalid data, expected a map for the provided schema with type=object");
      return new SchemaObject(value as Record<string, unknown>, isEmbedded(schema) ? withTypeMeta(schema) : schema);
    case "array":
      return listValue(value, schema);
    case "string":
      if (typeof value !== "string") throw new CelError(`invalid data, expected string, got ${goType(value)}`);
      return textValue(value, schema.format);
    case "number":
      if (typeof value === "bigint") return Number(value);
      if (typeof value !== "number") throw new CelError(`invalid data, expected float, got ${goType(value)}`);
      return value;
    case "integer":
      if (typeof value === "bigint") return value;
      if (typeof value !== "number" || !Number.isInteger(value))
        throw new CelError(`invalid data, expected int, got ${goType(value)}`);
      return BigInt(value);
    case "boolean":
      if (typeof value !== "boolean") throw new CelError(`invalid data, expected bool, got ${goType(value)}`);
      return value;
    default:
      if (schema["x-kubernetes-preserve-unknown-fields"] === true) return new UnknownValue(value);
      throw new CelError(
        "invalid type, expected object, array, number, integer, boolean or string, or no type with x-kubernetes-int-or-string or " +
          `x-kubernetes-preserve-unknown-fields is true, got ${schema.type ?? ""}`,
      );
  }
}

function goType(value: unknown): string {
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "bigint":
      return "int64";
    case "number":
      return Number.isInteger(value) ? "int64" : "float64";
    default:
      return Array.isArray(value) ? "[]interface {}" : "map[string]interface {}";
  }
}

function listValue(value: unknown, schema: JSONSchemaProps): CelValue {
  if (!Array.isArray(value)) throw new CelError("invalid data, expected an array for the provided schema with type=array");
  const items = itemSchema(schema);
  if (items === undefined) throw new CelError("invalid array type, expected Items with a non-empty Schema");
  const element = (at: number): CelValue => schemaValue(value[at], items);
  switch (schema["x-kubernetes-list-type"]) {
    case "map":
      return new SchemaMapList(
        value.length,
        element,
        (schema["x-kubernetes-list-map-keys"] ?? []).map((key) => escapeName(key) ?? key),
      );
    case "set":
      return new SchemaSetList(value.length, element);
    default:
      return new SchemaList(value.length, element);
  }
}

function textValue(text: string, format: string | undefined): CelValue {
  switch (format) {
    case "duration":
      return parseDuration(text) ?? refuse(`Invalid duration ${text}: unable to parse`);
    case "date":
      return parseTimestamp(`${text}T00:00:00Z`) ?? refuse(`Invalid date formatted string ${text}: unable to parse`);
    case "date-time":
      return (
        parseTimestamp(text.replace(/^(.{10})[ t]/, "$1T").replace(/z$/, "Z")) ??
        refuse(`Invalid date-time formatted string ${text}: unable to parse`)
      );
    case "byte":
      return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    default:
      return text;
  }
}

function refuse(message: string): never {
  throw new CelError(message);
}

/** What has no schema can be compared and no more. */
class UnknownValue extends LibraryValue {
  readonly typeName = "unknown";
  readonly #value: unknown;

  constructor(value: unknown) {
    super();
    this.#value = value;
  }

  equals(other: LibraryValue): boolean {
    return other instanceof UnknownValue && semanticEqual(this.#value, other.#value);
  }
}

/** An object: with properties by their escaped names, or a map of values of one schema. */
class SchemaObject extends CelMap {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #schema: JSONSchemaProps;

  constructor(value: Readonly<Record<string, unknown>>, schema: JSONSchemaProps) {
    super();
    this.#value = value;
    this.#schema = schema;
  }

  get size(): number {
    return Object.keys(this.#value).length;
  }

  #schemaOf(property: string): JSONSchemaProps | undefined {
    const { properties } = this.#schema;
    if (properties !== undefined) return Object.hasOwn(properties, property) ? properties[property] : undefined;
    return valueSchema(this.#schema);
  }

  find(key: CelValue): CelValue | undefined {
    if (typeof key !== "string") return undefined;
    const isObject = this.#schema.properties !== undefined;
    const property = isObject ? unescapeName(key) : key;
    if (property === undefined || !Object.hasOwn(this.#value, property)) return undefined;
    const value = this.#value[property];
    if (value === undefined || (isObject && value === null)) return undefined;
    const schema = this.#schemaOf(property);
    return schema === undefined ? undefined : schemaValue(value, schema);
  }

  *keys(): Iterable<CelValue> {
    const isObject = this.#schema.properties !== undefined;
    for (const property of Object.keys(this.#value)) {
      if (this.#schemaOf(property) !== undefined) yield isObject ? (escapeName(property) ?? property) : property;
    }
  }

  override equalsInOwnWay(other: CelMap): boolean | undefined {
    if (!(other instanceof SchemaObject)) return undefined;
    for (const [property, value] of Object.entries(this.#value)) {
      if (this.#schemaOf(property) !== undefined) continue;
      if (Object.hasOwn(other.#value, property) && !semanticEqual(value, other.#value[property])) return false;
    }
    // The known properties are compared one by one.
    return undefined;
  }
}
