import { badRequest } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { formatGroupVersion, parseGroupVersion } from "#apimachinery/meta/api-object.ts";
import { decodeJson, decodeObject } from "#apimachinery/schema/decode.ts";
import { DecodeError } from "#apimachinery/schema/exact-decode.ts";
import { JsonSyntaxError, parseJsonNodes } from "#apimachinery/schema/json-parse.ts";
import { groupFolder, isRegistered, schemaFor } from "#apimachinery/schema/registry.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { BodyFormat } from "./negotiation.ts";
import type { FieldValidation } from "./write-options.ts";
import { parseYaml } from "./yaml.ts";

/** Upstream names the place where its scheme was made. */
const SCHEME = "pkg/api/legacyscheme/scheme.go:30";
const TYPE_META = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
/** Bytes of a body that are shown in an error. */
const SUMMARY_BYTES = 30;

/** What a body is expected to be. */
export interface ExpectedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly schema: StructSchema;
}

/** Decodes a body into its kind's canonical form. Throws 400 with upstream's text. */
export function decodeBody(
  body: Uint8Array,
  format: BodyFormat,
  expected: ExpectedKind,
  validation: FieldValidation,
  warnings: string[],
): ApiObject {
  const unrecognized = (reason: string): Error =>
    badRequest(`the object provided is unrecognized (must be of type ${expected.kind}): ${reason} (${summarize(body)})`);
  const json = toJsonText(body, format, unrecognized);
  const { kind, group, version } = readKind(json, expected, unrecognized);
  const wrong = (reason: string): Error =>
    badRequest(`${kind} in version ${goQuote(version)} cannot be handled as a ${expected.kind}: ${reason}`);
  if (!isKnownKind(group, version, kind, expected)) {
    const full = formatGroupVersion(group, version);
    throw wrong(`no kind ${goQuote(kind)} is registered for version ${goQuote(full)} in scheme ${goQuote(SCHEME)}`);
  }
  if (kind !== expected.kind) throw wrong(unknownConversion(kind, version, expected));
  let decoded: { readonly object: Record<string, unknown>; readonly strict: readonly string[] };
  try {
    decoded = decodeJson(expected.schema, json, { strict: validation !== "Ignore" });
  } catch (error) {
    if (error instanceof DecodeError || error instanceof JsonSyntaxError) throw wrong(error.message);
    throw error;
  }
  if (group !== expected.group || version !== expected.version) {
    const [given, wanted] = [formatGroupVersion(group, version), formatGroupVersion(expected.group, expected.version)];
    throw badRequest(`the API version in the data (${given}) does not match the expected API version (${wanted})`);
  }
  if (decoded.strict.length > 0) {
    if (validation === "Strict") throw wrong(`strict decoding error: ${decoded.strict.join(", ")}`);
    if (validation === "Warn") warnings.push(...decoded.strict);
  }
  return named(decoded.object, expected);
}

/** The result of a patch claims to be of a kind that it cannot be. */
export class PatchedKindError extends Error {
  override readonly name = "PatchedKindError";
}

/**
 * A patch result as an object of its kind; complaints about unknown fields go to `strict`. Throws {@link PatchedKindError}
 * and DecodeError. `fixedKind` for patches whose result is read as the kind whatever it says.
 */
export function decodePatched(
  value: unknown,
  expected: ExpectedKind,
  fixedKind: boolean,
): { object: ApiObject; strict: readonly string[] } {
  const { apiVersion, kind } = (value ?? {}) as Record<string, unknown>;
  const given = parseGroupVersion(typeof apiVersion === "string" ? apiVersion : "");
  const { group, version } = given.version === "" ? expected : given;
  const name = typeof kind === "string" && kind !== "" ? kind : expected.kind;
  if (!fixedKind && !isKnownKind(group, version, name, expected)) {
    const full = formatGroupVersion(group, version);
    throw new PatchedKindError(
      `no kind ${goQuote(name)} is registered for version ${goQuote(full)} in scheme ${goQuote(SCHEME)}`,
    );
  }
  const schema = fixedKind || name === expected.kind ? expected.schema : (schemaFor(group, version, name) ?? expected.schema);
  const decoded = decodeObject(schema, value);
  if (schema !== expected.schema) throw new PatchedKindError(unknownConversion(name, version, expected));
  return { object: named(decoded.object, expected), strict: decoded.strict };
}

function isKnownKind(group: string, version: string, kind: string, expected: ExpectedKind): boolean {
  return (
    (group === expected.group && version === expected.version && kind === expected.kind) || isRegistered(group, version, kind)
  );
}

function unknownConversion(kind: string, version: string, expected: ExpectedKind): string {
  const internal = groupFolder(expected.group, expected.version) ?? expected.group;
  return `converting (${version}.${kind}) to (${internal}.${expected.kind}): unknown conversion`;
}

function named(object: Record<string, unknown>, expected: ExpectedKind): ApiObject {
  object.apiVersion = formatGroupVersion(expected.group, expected.version);
  object.kind = expected.kind;
  object.metadata ??= {};
  return object as unknown as ApiObject;
}

/** The body as JSON text; YAML is converted. */
export function toJsonText(body: Uint8Array, format: BodyFormat, failure: (reason: string) => Error): string {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  if (format === "json") return text;
  try {
    return JSON.stringify(parseYaml(text));
  } catch (error) {
    throw failure(error instanceof Error ? error.message : String(error));
  }
}

interface NamedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** The body's own kind, with what is missing taken from the expected one. */
function readKind(json: string, expected: ExpectedKind, unrecognized: (reason: string) => Error): NamedKind {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw unrecognized(`couldn't get version/kind; json parse error: ${syntaxError(json)}`);
  }
  const failure = (text: string): Error => unrecognized(`couldn't get version/kind; json parse error: json: ${text}`);
  if (value === null) return expected;
  if (typeof value !== "object" || Array.isArray(value)) {
    throw failure(`cannot unmarshal ${jsonType(value)} into Go value of type ${TYPE_META}`);
  }
  const { apiVersion, kind } = value as Record<string, unknown>;
  for (const [field, item] of [
    ["apiVersion", apiVersion],
    ["kind", kind],
  ] as const) {
    if (item !== undefined && item !== null && typeof item !== "string") {
      throw failure(`cannot unmarshal ${jsonType(item)} into Go struct field .${field} of type string`);
    }
  }
  const given = parseGroupVersion(typeof apiVersion === "string" ? apiVersion : "");
  const { group, version } = given.version === "" ? expected : given;
  return { group, version, kind: typeof kind === "string" && kind !== "" ? kind : expected.kind };
}

/** Go's message for text that is no JSON. */
export function syntaxError(json: string): string {
  try {
    parseJsonNodes(json);
    return "invalid JSON";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Go's word for a JSON value. */
export function jsonType(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  return typeof value === "boolean" ? "bool" : typeof value;
}

function summarize(body: Uint8Array): string {
  if (body.byteLength === 0) return "<empty>";
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const cut = bytes.subarray(0, SUMMARY_BYTES);
  const shown = bytes[0] === 0x7b ? cut.toString("utf8") : cut.toString("hex");
  return bytes.length > SUMMARY_BYTES ? `${shown} ...` : shown;
}
