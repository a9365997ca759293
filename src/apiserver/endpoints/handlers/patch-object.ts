import { badRequest, invalid } from "#apimachinery/api-errors/errors.ts";
import type { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { goFormat } from "#apimachinery/patch/go-format.ts";
import { inGoOrder } from "#apimachinery/patch/go-order.ts";
import { applyJsonPatch, jsonPatchUnknownFields } from "#apimachinery/patch/json-patch.ts";
import { applyMergePatch } from "#apimachinery/patch/merge-patch.ts";
import { strategicMergePatch } from "#apimachinery/patch/strategic-merge-patch.ts";
import { isTextTooDeep, isValueTooDeep, TOO_DEEP } from "#apimachinery/schema/depth.ts";
import { DecodeError } from "#apimachinery/schema/exact-decode.ts";
import { exactJson, parseExactJson } from "#apimachinery/schema/exact-json.ts";
import { JsonMembers, type JsonNode } from "#apimachinery/schema/json-node.ts";
import { parseJsonNodes } from "#apimachinery/schema/json-parse.ts";
import { hasRepeatedMembers } from "#apimachinery/schema/json-scan.ts";
import { goQuote, invalid as invalidField } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { decodePatched, type ExpectedKind, type Patched, PatchedKindError, syntaxError } from "./body.ts";
import { converterError } from "./converter-error.ts";
import type { FieldValidation } from "./write-options.ts";

/** Kinds of patch that change an object. Apply is another thing. */
export type PatchKind = "application/json-patch+json" | "application/merge-patch+json" | "application/strategic-merge-patch+json";

/** A patch, parsed once; it may be applied to several states of an object. */
export class Patch {
  readonly kind: PatchKind;
  readonly #validation: FieldValidation;
  readonly #value: unknown;
  /** What strict reading of the patch itself complains about. */
  readonly #strict: readonly string[];

  /** Why there is no value. */
  readonly #failure: StatusError | undefined;

  private constructor(
    kind: PatchKind,
    value: unknown,
    validation: FieldValidation,
    strict: readonly string[],
    failure?: StatusError,
  ) {
    this.kind = kind;
    this.#failure = failure;
    this.#value = value;
    this.#validation = validation;
    this.#strict = strict;
  }

  /** From a request's body. What is no JSON is refused only when it is applied: an absent object is told first. */
  static parse(kind: PatchKind, body: Uint8Array, validation: FieldValidation): Patch {
    const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
    const unreadable = (reason: string): Patch =>
      new Patch(kind, undefined, validation, [], unreadablePatch(kind, validation, reason));
    if (isTextTooDeep(text)) return unreadable(TOO_DEEP);
    let value: unknown;
    try {
      value = parseExactJson(text);
    } catch {
      return unreadable(syntaxError(text));
    }
    return new Patch(kind, value, validation, validation === "Ignore" ? [] : complaints(kind, value, text));
  }

  /** From a value in memory, which is trusted to be well formed. */
  static fromValue(kind: PatchKind, value: unknown): Patch {
    return new Patch(kind, value, "Ignore", []);
  }

  /** The patched object, decoded; shares nothing that may be changed with `current`, which is normalised and in the client's form. Throws StatusErrors. */
  apply(current: ApiObject, expected: ExpectedKind, warnings: string[]): ApiObject {
    if (this.#failure !== undefined) throw this.#failure;
    const document: unknown = current;
    if (this.kind === "application/strategic-merge-patch+json") {
      const { object, remainingPatch } = strategicMergePatch(expected.schema, document, this.#value);
      return this.#decode(object, () => goFormat(remainingPatch), expected, warnings, true);
    }
    const strict = this.#validation !== "Ignore";
    const patch = (value: unknown): unknown =>
      this.kind === "application/json-patch+json"
        ? applyJsonPatch(value, this.#value, { strict })
        : applyMergePatch(value, this.#value, { strict });
    // Only an error shows the text, so that only errors pay for Go's order of keys.
    const shown = (): string => goJson(patch(inGoOrder(expected.schema, document)));
    return this.#decode(patch(document), shown, expected, warnings, false);
  }

  #decode(patched: unknown, shown: () => string, expected: ExpectedKind, warnings: string[], converted: boolean): ApiObject {
    const refuse = (reason: string): StatusError => {
      return invalid({ group: "", kind: "" }, "", [invalidField(FieldPath.of("patch"), shown(), reason)]);
    };
    // The others put each part of the patch as deep as it stands there, so that neither the object nor the patch tells less.
    if (this.kind === "application/json-patch+json" && isValueTooDeep(patched)) throw badRequest(TOO_DEEP);
    let decoded: Patched;
    try {
      decoded = decodePatched(patched, expected, converted);
    } catch (error) {
      if (error instanceof PatchedKindError) throw refuse(error.message);
      if (!(error instanceof DecodeError)) throw error;
      throw refuse(converted ? converterError(expected.schema, patched, error.message) : error.message);
    }
    const complaints = [...this.#strict, ...decoded.strict];
    if (complaints.length > 0 && this.#validation === "Strict") throw refuse(`strict decoding error: ${complaints.join(", ")}`);
    if (this.#validation === "Warn") for (const text of complaints) if (!warnings.includes(text)) warnings.push(text);
    if (decoded.refusal !== undefined) throw decoded.refusal;
    return decoded.object;
  }
}

function unreadablePatch(kind: PatchKind, validation: FieldValidation, reason: string): StatusError {
  if (kind === "application/strategic-merge-patch+json") return badRequest(reason);
  if (validation !== "Ignore") return badRequest(`error decoding patch: ${reason}`);
  return badRequest(kind === "application/merge-patch+json" ? "Invalid JSON Patch" : reason);
}

function complaints(kind: PatchKind, value: unknown, text: string): string[] {
  const found = hasRepeatedMembers(text, value) ? duplicateFields(parseJsonNodes(text), "") : [];
  return kind === "application/json-patch+json" ? [...jsonPatchUnknownFields(value), ...found] : found;
}

function duplicateFields(node: JsonNode, path: string): string[] {
  if (Array.isArray(node)) return node.flatMap((item, i) => duplicateFields(item, `${path}[${i}]`));
  if (!(node instanceof JsonMembers)) return [];
  const seen = new Set<string>();
  return node.entries.flatMap(([key, value]) => {
    const at = path === "" ? key : `${path}.${key}`;
    const repeated = seen.has(key) ? [`duplicate field ${goQuote(at)}`] : [];
    seen.add(key);
    return [...repeated, ...duplicateFields(value, at)];
  });
}

/** JSON as Go writes it: HTML characters are escaped. */
function goJson(value: unknown): string {
  return exactJson(value).replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
