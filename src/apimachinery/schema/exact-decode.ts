import { canonicalQuantity } from "../resource/quantity.ts";
import { goQuote } from "../validation/field-error.ts";
import { canonicalBase64 } from "./base64.ts";
import { exactValue } from "./exact-json.ts";
import { canonicalMicroTime, canonicalTime } from "./go-time.ts";
import { JsonMembers, type JsonNode, JsonNumber, plainValue, setOwn } from "./json-node.ts";
import type {
  FieldSchema,
  ListSchema,
  MapSchema,
  PointerlessRawSchema,
  ScalarSchema,
  StructSchema,
  TypeSchema,
} from "./type-schema.ts";
import { decodedZeros, isDropped, zeroElement } from "./zero.ts";

/** A value does not fit its type; the message is Go's. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

export interface ExactResult {
  readonly object: Record<string, unknown>;
  /** Messages on unknown and repeated fields, in the order of the text. */
  readonly strict: readonly string[];
}

/** Upstream stops collecting there. */
const STRICT_LIMIT = 100;

/**
 * Decodes as sigs.k8s.io/json does: goes on after a value of a wrong type and fails at the end with the first such message,
 * fails at once where a type reads itself (quantities, times, IntOrString), collects unknown and repeated fields.
 */
export function exactDecode(schema: StructSchema, node: JsonNode): ExactResult {
  const decoder = new ExactDecoder();
  const object =
    node === null ? decoder.structOf(schema, new JsonMembers([]), undefined) : decoder.decode(schema, node, undefined);
  if (decoder.failure !== undefined) throw decoder.failure;
  return { object: object as Record<string, unknown>, strict: decoder.strict };
}

type Out = Record<string, unknown>;

class ExactDecoder {
  /** The first wrong type. */
  failure: DecodeError | undefined;
  readonly strict: string[] = [];
  readonly #strictPath: string[] = [];
  #fieldPath: string[] = [];
  #struct = "";

  /** `before` is what a repetition of the same field has given; Go merges into it. Undefined when the value was dropped. */
  decode(schema: TypeSchema, node: JsonNode, before: unknown): unknown {
    switch (schema.kind) {
      case "struct":
        return node instanceof JsonMembers ? this.structOf(schema, node, before) : this.#mismatch(kindOf(node), schema.goType);
      case "list":
        return this.#list(schema, node);
      case "map":
        return this.#map(schema, node, before);
      case "raw":
        return this.#raw(schema, node);
      case "scalar":
        return this.#scalar(schema, node);
    }
  }

  structOf(schema: StructSchema, node: JsonMembers, before: unknown): Out {
    const out: Out = isOut(before) ? before : {};
    const seen = new Set<string>();
    const { fieldPath, struct } = this.#context();
    for (const [key, value] of node.entries) {
      const field = schema.fields.get(key);
      if (field === undefined) {
        this.#addStrict("unknown field", key);
        continue;
      }
      if (seen.has(key)) this.#addStrict("duplicate field", key);
      seen.add(key);
      this.#fieldPath = [...fieldPath, ...(field.embedded ?? []), key];
      this.#struct = goName(schema);
      this.#strictPath.push(this.#strictPath.length === 0 ? key : `.${key}`);
      this.#field(field, value, out);
      this.#strictPath.pop();
    }
    this.#fieldPath = fieldPath;
    this.#struct = struct;
    for (const zero of decodedZeros(schema)) if (out[zero.name] === undefined) out[zero.name] = zero.make();
    return out;
  }

  #field(field: FieldSchema, value: JsonNode, out: Out): void {
    if (value === null) {
      // Null empties what can be nil, and leaves other values as a repetition before has set them.
      if (field.pointer || field.type.kind !== "scalar") delete out[field.name];
      return;
    }
    const decoded = this.decode(field.type, value, out[field.name]);
    if (isDropped(field, decoded)) delete out[field.name];
    else out[field.name] = decoded;
  }

  #context(): { fieldPath: string[]; struct: string } {
    return { fieldPath: this.#fieldPath, struct: this.#struct };
  }

  #list(schema: ListSchema, node: JsonNode): unknown {
    if (!Array.isArray(node)) return this.#mismatch(kindOf(node), schema.goType);
    const items: readonly JsonNode[] = node;
    return items.map((item, index) => {
      if (item === null) return zeroElement(schema.element);
      this.#strictPath.push(`[${index}]`);
      const decoded = this.decode(schema.element, item, undefined);
      this.#strictPath.pop();
      return decoded;
    });
  }

  #map(schema: MapSchema, node: JsonNode, before: unknown): unknown {
    if (!(node instanceof JsonMembers)) return this.#mismatch(kindOf(node), schema.goType);
    const out: Out = isOut(before) ? before : {};
    const seen = new Set<string>();
    for (const [key, item] of node.entries) {
      if (seen.has(key)) this.#addStrict("duplicate field", key);
      seen.add(key);
      this.#strictPath.push(this.#strictPath.length === 0 ? key : `.${key}`);
      setOwn(out, key, item === null ? zeroElement(schema.value) : this.decode(schema.value, item, undefined));
      this.#strictPath.pop();
    }
    return out;
  }

  #raw(schema: PointerlessRawSchema, node: JsonNode): unknown {
    const { union } = schema;
    if (union === undefined) return exactValue(node);
    if (node instanceof JsonMembers) return exactDecode(union.object(), node).object;
    if (typeof node === "boolean" && union.bool) return node;
    const array = Array.isArray(node) ? union.array() : undefined;
    if (array !== undefined) return new ExactDecoder().decode(array, node, undefined);
    throw new DecodeError(union.bool ? "boolean or JSON schema expected" : "JSON schema or array expected");
  }

  #scalar(schema: ScalarSchema, node: JsonNode): unknown {
    switch (schema.format) {
      case "string":
      case "duration":
        return typeof node === "string" ? node : this.#mismatch(kindOf(node), schema.goType);
      case "bool":
        return typeof node === "boolean" ? node : this.#mismatch(kindOf(node), schema.goType);
      case "int32":
      case "int64":
      case "uint8":
        return this.#integer(node, schema.format, schema.goType ?? schema.format);
      case "float64":
        return node instanceof JsonNumber ? this.#float(node) : this.#mismatch(kindOf(node), schema.goType);
      case "bytes":
        return this.#bytes(node);
      case "quantity":
        return this.#own(() => canonicalQuantity(quantityText(node)));
      case "time":
        return this.#own(() => canonicalTime(this.#ownText(node)));
      case "micro-time":
        return this.#own(() => canonicalMicroTime(this.#ownText(node)));
      case "int-or-string":
        return typeof node === "string" ? node : this.#own(() => this.#ownInteger(node));
    }
  }

  #integer(node: JsonNode, format: "int32" | "int64" | "uint8", goType: string): unknown {
    if (!(node instanceof JsonNumber)) return this.#mismatch(kindOf(node), goType);
    return fits(node.text, format) ? Number(node.text) : this.#mismatch(`number ${node.text}`, goType);
  }

  #float(node: JsonNumber): unknown {
    const value = Number(node.text);
    return Number.isFinite(value) ? value : this.#mismatch(`number ${node.text}`, "float64");
  }

  #bytes(node: JsonNode): unknown {
    if (typeof node !== "string") return this.#mismatch(kindOf(node), "[]uint8");
    try {
      return canonicalBase64(node);
    } catch (error) {
      this.failure ??= new DecodeError((error as Error).message);
      return undefined;
    }
  }

  /** A type that reads itself: its failure ends the decoding, whatever was wrong before. */
  #own(read: () => unknown): unknown {
    try {
      return read();
    } catch (error) {
      throw error instanceof DecodeError ? error : new DecodeError((error as Error).message);
    }
  }

  #ownText(node: JsonNode): string {
    if (typeof node !== "string") throw this.#typeError(kindOf(node), "string");
    return node;
  }

  #ownInteger(node: JsonNode): number {
    if (!(node instanceof JsonNumber)) throw this.#typeError(kindOf(node), "int32");
    if (!fits(node.text, "int32")) throw this.#typeError(`number ${node.text}`, "int32");
    return Number(node.text);
  }

  #mismatch(given: string, goType: string | undefined): undefined {
    this.failure ??= this.#typeError(given, goType ?? "");
    return undefined;
  }

  #typeError(given: string, goType: string): DecodeError {
    const target = this.#struct === "" ? "Go value" : `Go struct field ${this.#struct}.${this.#fieldPath.join(".")}`;
    return new DecodeError(`json: cannot unmarshal ${given} into ${target} of type ${goType}`);
  }

  #addStrict(what: string, key: string): void {
    if (this.strict.length >= STRICT_LIMIT) return;
    const path = this.#strictPath.length === 0 ? key : `${this.#strictPath.join("")}.${key}`;
    const message = `${what} ${goQuote(path)}`;
    if (!this.strict.includes(message)) this.strict.push(message);
  }
}

function isOut(value: unknown): value is Out {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function goName(schema: StructSchema): string {
  return schema.name.slice(schema.name.lastIndexOf(".") + 1);
}

function kindOf(node: JsonNode): string {
  if (node instanceof JsonNumber) return "number";
  if (node instanceof JsonMembers) return "object";
  if (Array.isArray(node)) return "array";
  return typeof node === "boolean" ? "bool" : typeof node;
}

const RANGES = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint8: [0n, 255n],
} as const;

function fits(text: string, format: "int32" | "int64" | "uint8"): boolean {
  if (!/^-?\d+$/.test(text)) return false;
  const value = BigInt(text);
  const [min, max] = RANGES[format];
  return value >= min && value <= max;
}

/** Quantities read the literal of whatever stands there. */
function quantityText(node: JsonNode): string {
  if (typeof node === "string") return node;
  if (node instanceof JsonNumber) return node.text;
  return typeof node === "boolean" ? String(node) : JSON.stringify(plainValue(node));
}
