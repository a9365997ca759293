import { deepCopy } from "../meta/deep-copy.ts";
import { goQuote } from "../validation/field-error.ts";
import { DecodeError } from "./exact-decode.ts";
import { JsonMembers, type JsonNode, JsonNumber } from "./json-node.ts";
import type { StructSchema, UnstructuredRules } from "./type-schema.ts";

type Members = Record<string, unknown>;

/** As of the other decoders: the object, and what strict decoding would refuse. */
interface Read {
  readonly object: Members;
  readonly strict: readonly string[];
}

/** Decodes metadata as of any kind, and leaves the rest to the schema's rules. `value` is not changed. */
export function readUnstructured(
  schema: StructSchema & { readonly unstructured: UnstructuredRules },
  value: unknown,
  decodeMetadata: (schema: StructSchema, value: unknown) => Read,
): Read {
  const object: Members = isMembers(value) ? deepCopy(value) : {};
  const metadata = schema.fields.get("metadata")?.type;
  const strict: string[] = [];
  if (metadata?.kind === "struct") {
    const decoded = decodeMetadata(metadata, object.metadata);
    object.metadata = decoded.object;
    strict.push(...decoded.strict.map((text) => text.replace('field "', 'field "metadata.')));
  }
  const unknown: string[] = [];
  schema.unstructured.read(object, unknown);
  strict.push(...unknown.map((path) => `unknown field ${goQuote(path)}`));
  return { object, strict };
}

/** Messages on members that an object has twice, in the order of the text. */
export function duplicateMembers(node: JsonNode, path = "", found: string[] = []): string[] {
  if (node instanceof JsonMembers) {
    const seen = new Set<string>();
    for (const [name, value] of node.entries) {
      const at = path === "" ? name : `${path}.${name}`;
      if (seen.has(name)) found.push(`duplicate field ${goQuote(at)}`);
      seen.add(name);
      duplicateMembers(value, at, found);
    }
  } else if (Array.isArray(node)) {
    (node as readonly JsonNode[]).forEach((item, index) => {
      duplicateMembers(item, `${path}[${index}]`, found);
    });
  }
  return found;
}

/** Throws for a number that no float can hold. */
export function refuseInfinite(node: JsonNode): void {
  if (node instanceof JsonNumber) {
    if (Number.isFinite(Number(node.text))) return;
    throw new DecodeError(`json: cannot unmarshal number ${node.text} into Go value of type float64`);
  }
  if (node instanceof JsonMembers) for (const [, value] of node.entries) refuseInfinite(value);
  else if (Array.isArray(node)) for (const item of node as readonly JsonNode[]) refuseInfinite(item);
}

function isMembers(value: unknown): value is Members {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
