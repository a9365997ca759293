import { invalid as invalidObject } from "#apimachinery/api-errors/errors.ts";
import type { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { formatGroupVersion, parseGroupVersion } from "#apimachinery/meta/api-object.ts";
import { decodeObject } from "#apimachinery/schema/decode.ts";
import { type BodyFormat, decodeBody as decodeRequestBody, readProtobuf } from "#apimachinery/schema/decode-body.ts";
import { isTextTooDeep, TOO_DEEP } from "#apimachinery/schema/depth.ts";
import { exactJson } from "#apimachinery/schema/exact-json.ts";
import { parseJsonNodes } from "#apimachinery/schema/json-parse.ts";
import { groupFolder, isRegistered, schemaByName, schemaFor } from "#apimachinery/schema/registry.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";
import { parseYaml } from "#apimachinery/schema/yaml.ts";
import { type FieldError, goQuote, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
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

/** What a patch made. */
export interface Patched {
  readonly object: ApiObject;
  /** Complaints about unknown fields. */
  readonly strict: readonly string[];
  /** Why it is refused whatever becomes of the complaints. */
  readonly refusal?: StatusError;
}

/** The result of a patch claims to be of a kind that it cannot be. */
export class PatchedKindError extends Error {
  override readonly name = "PatchedKindError";
}

/**
 * A patch result as an object of its kind; complaints about unknown fields go to `strict`. Throws {@link PatchedKindError}
 * and DecodeError. `fixedKind` for patches whose result is read as the kind whatever it says.
 */
export function decodePatched(value: unknown, expected: ExpectedKind, fixedKind: boolean): Patched {
  const { apiVersion, kind } = (value ?? {}) as Record<string, unknown>;
  if (!fixedKind && expected.schema.unstructured !== undefined) return decodeCustom(value, expected);
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

/** A custom resource keeps what it says of its kind until it is validated; in another version none of its fields is known. */
function decodeCustom(value: unknown, expected: ExpectedKind): Patched {
  const given = (value ?? {}) as Record<string, unknown>;
  const wantedVersion = formatGroupVersion(expected.group, expected.version);
  const apiVersion = given.apiVersion ?? wantedVersion;
  const kind = given.kind ?? expected.kind;
  const decoded = decodeObject(expected.schema, { ...given, apiVersion: wantedVersion, kind: expected.kind });
  const object = named(decoded.object, expected);
  const errors: FieldError[] = [];
  if (apiVersion !== wantedVersion) errors.push(invalid(FieldPath.of("apiVersion"), apiVersion, `must be ${wantedVersion}`));
  if (kind !== expected.kind) errors.push(invalid(FieldPath.of("kind"), kind, `must be ${expected.kind}`));
  if (errors.length === 0) return { object, strict: decoded.strict };
  const unknown = Object.keys(given).filter((name) => !["apiVersion", "kind", "metadata"].includes(name));
  return {
    object,
    strict: apiVersion === wantedVersion ? decoded.strict : unknown.sort().map((name) => `unknown field ${goQuote(name)}`),
    refusal: invalidObject(
      { group: parseGroupVersion(String(apiVersion)).group, kind: String(kind) },
      object.metadata.name ?? "",
      errors,
    ),
  };
}

/**
 * Without an apiVersion upstream reads the result as its internal type, whose fields have no names in JSON but for those of
 * metadata, which lie at the top: nearly everything is an unknown field, and no name is left.
 */
function decodeUnversioned(value: unknown, expected: ExpectedKind): Patched {
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
    return exactJson(format === "protobuf" ? readProtobuf(body) : parseYaml(text).value);
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
  if (typeof value === "bigint") return "number";
  return typeof value === "boolean" ? "bool" : typeof value;
}
