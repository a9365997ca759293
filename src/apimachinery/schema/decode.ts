import { type ExactResult, exactDecode } from "./exact-decode.ts";
import { exactValue } from "./exact-json.ts";
import { type FastState, fastDecoder, MISMATCH } from "./fast-decode.ts";
import { nodeOf } from "./json-node.ts";
import { parseJsonNodes } from "./json-parse.ts";
import { countMembers, scanJson } from "./json-scan.ts";
import type { StructSchema, UnstructuredRules } from "./type-schema.ts";
import { duplicateMembers, readUnstructured, refuseInfinite } from "./unstructured.ts";

/** A decoded object, and what strict decoding would refuse: messages such as `unknown field "spec.foo"`. */
export interface Decoded {
  readonly object: Record<string, unknown>;
  readonly strict: readonly string[];
}

export interface DecodeOptions {
  readonly strict: boolean;
  /** What `JSON.parse` gave for the text, where the caller has it already. */
  readonly value?: unknown;
}

/**
 * Decodes JSON text into the canonical form of a type: unknown fields and empty `omitempty` fields dropped, quantities and times
 * normalised, structs that Go holds by value always there. `strict` is collected only when asked for.
 * Throws JsonSyntaxError for bad JSON and DecodeError for values of wrong types, both with Go's messages.
 */
export function decodeJson(schema: StructSchema, text: string, options: DecodeOptions): Decoded {
  if (isUnstructured(schema)) {
    const plain = plainDocument(text, options.value);
    if (plain !== undefined) {
      const { object, strict } = readUnstructured(schema, plain, decodeObject);
      return { object, strict: options.strict ? strict : [] };
    }
    const node = parseJsonNodes(text);
    refuseInfinite(node);
    const { object, strict } = readUnstructured(schema, exactValue(node), decodeObject);
    return { object, strict: options.strict ? [...duplicateMembers(node), ...strict] : [] };
  }
  const value = options.value === undefined ? tryParse(text) : (options.value ?? {});
  if (value === undefined || SURROGATE_ESCAPE.test(text)) return exact(schema, text);
  const scan = scanJson(text);
  if (scan.oddNumbers) return exact(schema, text);
  const state: FastState = { members: 0, unknown: false };
  const object = fast(schema, value, state);
  const clean = object !== undefined && state.members === scan.members && !(options.strict && state.unknown);
  return clean ? { object, strict: [] } : exact(schema, text);
}

/** As {@link decodeJson}, from a value in memory: the result of a patch. */
export function decodeObject(schema: StructSchema, value: unknown): Decoded {
  if (isUnstructured(schema)) return readUnstructured(schema, value, decodeObject);
  const state: FastState = { members: 0, unknown: false };
  const object = fast(schema, value ?? {}, state);
  return object !== undefined && !state.unknown ? { object, strict: [] } : exactDecode(schema, nodeOf(value));
}

function isUnstructured(schema: StructSchema): schema is StructSchema & { readonly unstructured: UnstructuredRules } {
  return schema.unstructured !== undefined;
}

/** Half of a pair may stand alone, which is no text that could be sent on. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/** What the text holds, where nothing is lost in `JSON.parse`: no member stands twice, and every number and text is a plain one. */
function plainDocument(text: string, value: unknown): unknown {
  if (value === undefined || value === null || SURROGATE_ESCAPE.test(text)) return undefined;
  const scan = scanJson(text);
  return scan.oddNumbers || scan.members !== countMembers(value) ? undefined : value;
}

function tryParse(text: string): unknown {
  try {
    return (JSON.parse(text) as unknown) ?? {};
  } catch {
    return undefined;
  }
}

function exact(schema: StructSchema, text: string): ExactResult {
  return exactDecode(schema, parseJsonNodes(text));
}

function fast(schema: StructSchema, value: unknown, state: FastState): Record<string, unknown> | undefined {
  try {
    return fastDecoder(schema)(value, state) as Record<string, unknown>;
  } catch (error) {
    if (error === MISMATCH) return undefined;
    throw error;
  }
}
