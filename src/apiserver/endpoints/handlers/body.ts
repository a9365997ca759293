import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { formatGroupVersion, parseGroupVersion } from "#apimachinery/meta/api-object.ts";
import { decodeObject } from "#apimachinery/schema/decode.ts";
import { type BodyFormat, decodeBody as decodeRequestBody, readProtobuf } from "#apimachinery/schema/decode-body.ts";
import { isTextTooDeep, TOO_DEEP } from "#apimachinery/schema/depth.ts";
import { parseJsonNodes } from "#apimachinery/schema/json-parse.ts";
import { groupFolder, isRegistered, schemaByName, schemaFor } from "#apimachinery/schema/registry.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";
import { parseYaml } from "#apimachinery/schema/yaml.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { assert } from "#base/assert.ts";
import type { FieldValidation } from "./write-options.ts";

/** Upstream names the place where its scheme was made. */
const SCHEME = "pkg/api/legacyscheme/scheme.go:30";

/** What a body is expected to be. */
export interface ExpectedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly schema: StructSchema;
}

/** Decodes a body into its kind's canonical form. Throws 400 with upstream's text. */
export function decodeBody(
  bytes: Uint8Array,
  format: BodyFormat,
  expected: ExpectedKind,
  fieldValidation: FieldValidation,
  warnings: string[],
): ApiObject {
  const { group, version, kind, schema } = expected;
  return decodeRequestBody({
    bytes,
    format,
    kind: { group, version, kind },
    schema,
    fieldValidation,
    acceptsVersion: (given) => kind === "Eviction" && given === "policy",
    addWarning: (text) => warnings.push(text),
  }).object;
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
  if (!fixedKind && (apiVersion === undefined || apiVersion === null || apiVersion === "")) {
    return decodeUnversioned(value, expected);
  }
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

/**
 * Without an apiVersion upstream reads the result as its internal type, whose fields have no names in JSON but for those of
 * metadata, which lie at the top: nearly everything is an unknown field, and no name is left.
 */
function decodeUnversioned(value: unknown, expected: ExpectedKind): { object: ApiObject; strict: readonly string[] } {
  const metadataFields = schemaByName("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  assert(metadataFields?.kind === "struct", "metadata has a type");
  const strict: string[] = [];
  const metadata: Record<string, unknown> = {};
  for (const [key, item] of Object.entries((value ?? {}) as Record<string, unknown>)) {
    if (key === "apiVersion" || key === "kind") continue;
    if (metadataFields.fields.has(key)) metadata[key] = item;
    else strict.push(`unknown field ${goQuote(key)}`);
  }
  const decoded = decodeObject(expected.schema, { metadata });
  return { object: named(decoded.object, expected), strict };
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

/** The body as JSON text; YAML and protobuf are converted. */
export function toJsonText(body: Uint8Array, format: BodyFormat, failure: (reason: string) => Error): string {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  if (format === "json") {
    if (isTextTooDeep(text)) throw failure(`couldn't get version/kind; json parse error: ${TOO_DEEP}`);
    return text;
  }
  try {
    return JSON.stringify(format === "protobuf" ? readProtobuf(body) : parseYaml(text).value);
  } catch (error) {
    throw failure(error instanceof Error ? error.message : String(error));
  }
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
