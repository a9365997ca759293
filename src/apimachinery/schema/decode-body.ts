import { ProtobufError } from "#base/wire-reader.ts";
import { badRequest, invalid, unsupportedMediaType } from "../api-errors/errors.ts";
import type { ApiObject, GroupVersionKind } from "../meta/api-object.ts";
import { formatGroupVersion } from "../meta/api-object.ts";
import { decodeProtobuf } from "../protobuf/decode.ts";
import { goQuote, invalid as invalidField } from "../validation/field-error.ts";
import { FieldPath } from "../validation/field-path.ts";
import { type Decoded, decodeJson, decodeObject } from "./decode.ts";
import { isTextTooDeep, isValueTooDeep, TOO_DEEP } from "./depth.ts";
import { DecodeError } from "./exact-decode.ts";
import { JsonSyntaxError, parseJsonNodes } from "./json-parse.ts";
import { groupFolder, isRegistered, schemaFor } from "./registry.ts";
import type { StructSchema } from "./type-schema.ts";
import { parseYaml } from "./yaml.ts";

export type FieldValidation = "Ignore" | "Warn" | "Strict";

/** A request's body and what the endpoint expects in it. */
export interface BodyRequest {
  readonly bytes: Uint8Array;
  readonly format: BodyFormat;
  /** Fills in for an absent kind and version; any other kind is refused. */
  readonly kind: GroupVersionKind;
  /** Of kinds that are not built in. */
  readonly schema?: StructSchema;
  readonly fieldValidation: FieldValidation;
  /** Other versions that are taken as they are, such as policy/v1beta1 Evictions. */
  readonly acceptsVersion?: (group: string, version: string) => boolean;
  /** Gets warnings as they come up, since some go out with a failure too. */
  readonly addWarning?: (text: string) => void;
}

/** A decoded body. `object` has the `apiVersion` and `kind` that the endpoint expects. */
export interface DecodedBody {
  readonly object: ApiObject;
  readonly warnings: readonly string[];
}

export type BodyFormat = "json" | "yaml" | "protobuf";

const FORMATS: ReadonlyMap<string, BodyFormat> = new Map([
  ["application/json", "json"],
  ["application/yaml", "yaml"],
  ["application/vnd.kubernetes.protobuf", "protobuf"],
]);

/** The format that a Content-Type names: JSON when absent or empty. Throws a 415. */
export function bodyFormat(contentType: string | undefined): BodyFormat {
  if (contentType === undefined || contentType === "") return "json";
  const format = FORMATS.get(contentType) ?? FORMATS.get((contentType.split(";", 1)[0] ?? "").trim().toLowerCase());
  if (format !== undefined) return format;
  throw unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${[...FORMATS.keys()].join(", ")}`,
  );
}

/** Decodes a body as upstream's create and update handlers do. Throws StatusErrors with their texts. */
export function decodeBody(request: BodyRequest): DecodedBody {
  const { format, kind: expected } = request;
  let actual: GroupVersionKind | undefined;
  try {
    const source = readSource(request.bytes, format);
    const given = typeMeta(source);
    // Nothing stands in for the kind of a custom resource.
    if (request.schema?.unstructured !== undefined && given.kind === "") {
      throw new BodyError(`Object 'Kind' is missing in '${source.text ?? JSON.stringify(source.value)}'`);
    }
    const custom = request.schema?.unstructured !== undefined;
    actual = custom ? given : withDefaults(given, expected);
    const decoded = decodeAs(source, actual, request);
    const warnings = report(decoded.strict, source.duplicates, request.fieldValidation);
    for (const warning of warnings) request.addWarning?.(warning);
    checkVersion(actual, request);
    const object = decoded.object as ApiObject;
    if (custom && actual.kind !== expected.kind) throw wrongCustomKind(actual, expected, object.metadata?.name ?? "");
    if (object.metadata === undefined && request.schema?.fields.has("metadata")) object.metadata = {};
    object.apiVersion = formatGroupVersion(expected.group, expected.version);
    object.kind = expected.kind;
    return { object, warnings };
  } catch (error) {
    if (!(error instanceof BodyError || error instanceof DecodeError || error instanceof JsonSyntaxError)) throw error;
    throw badRequest(frame(error.message, actual, expected, request.bytes));
  }
}

/** A fault that is told within upstream's frame. */
class BodyError extends Error {
  override readonly name = "BodyError";
}

function frame(message: string, actual: GroupVersionKind | undefined, expected: GroupVersionKind, bytes: Uint8Array): string {
  if (actual !== undefined) {
    return `${actual.kind} in version ${goQuote(actual.version)} cannot be handled as a ${expected.kind}: ${message}`;
  }
  return `the object provided is unrecognized (must be of type ${expected.kind}): ${message} (${summary(bytes)})`;
}

const SUMMARY_BYTES = 30;

function summary(bytes: Uint8Array): string {
  if (bytes.length === 0) return "<empty>";
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SUMMARY_BYTES));
  return `${head.toString(bytes[0] === 123 ? "utf8" : "hex")}${bytes.length > SUMMARY_BYTES ? " ..." : ""}`;
}

interface Source {
  /** JSON text; absent for YAML. */
  readonly text: string | undefined;
  readonly value: unknown;
  /** Repeated YAML keys. */
  readonly duplicates: readonly string[];
}

function readSource(bytes: Uint8Array, format: BodyFormat): Source {
  if (format === "protobuf") return { text: undefined, value: readProtobuf(bytes), duplicates: [] };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  if (format === "yaml") {
    try {
      return { text: undefined, ...parseYaml(text) };
    } catch (error) {
      throw new BodyError((error as Error).message);
    }
  }
  if (isTextTooDeep(text)) throw new BodyError(`couldn't get version/kind; json parse error: ${TOO_DEEP}`);
  try {
    return { text, value: JSON.parse(text) as unknown, duplicates: [] };
  } catch {
    return { text, value: slowParse(text), duplicates: [] };
  }
}

/** Finds Go's message for text that is no JSON. */
function slowParse(text: string): never {
  try {
    parseJsonNodes(text);
  } catch (error) {
    throw new BodyError(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
  throw new BodyError("couldn't get version/kind; json parse error: invalid JSON");
}

/** A protobuf body in the form that its JSON would have. */
export function readProtobuf(bytes: Uint8Array): unknown {
  try {
    const value = decodeProtobuf(bytes, schemaFor);
    if (isValueTooDeep(value)) throw new BodyError(TOO_DEEP);
    return value;
  } catch (error) {
    // Messages within messages, until the stack ends.
    if (error instanceof RangeError) throw new BodyError(TOO_DEEP);
    if (error instanceof ProtobufError) throw new BodyError(error.message);
    throw error;
  }
}

const TYPE_META = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

function typeMeta(source: Source): GroupVersionKind {
  const { value } = source;
  if (value === null) return { group: "", version: "", kind: "" };
  const fault = "couldn't get version/kind; json parse error: json: cannot unmarshal";
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new BodyError(`${fault} ${jsonKind(value)} into Go value of type ${TYPE_META}`);
  }
  const members = value as Record<string, unknown>;
  const read = (name: "apiVersion" | "kind"): string => {
    const found = members[name] ?? "";
    if (typeof found === "string") return found;
    throw new BodyError(`${fault} ${jsonKind(found)} into Go struct field .${name} of type string`);
  };
  const apiVersion = read("apiVersion");
  if (apiVersion === "/") return { group: "", version: "", kind: read("kind") };
  const slash = apiVersion.indexOf("/");
  if (slash < 0) return { group: "", version: apiVersion, kind: read("kind") };
  if (apiVersion.includes("/", slash + 1)) throw new BodyError(`unexpected GroupVersion string: ${apiVersion}`);
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), kind: read("kind") };
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

function withDefaults(actual: GroupVersionKind, expected: GroupVersionKind): GroupVersionKind {
  const kind = actual.kind === "" ? expected.kind : actual.kind;
  if (actual.version === "" && (actual.group === "" || actual.group === expected.group)) {
    return { group: expected.group, version: expected.version, kind };
  }
  return { group: actual.group, version: actual.version, kind };
}

function isExpected(actual: GroupVersionKind, expected: GroupVersionKind): boolean {
  return actual.kind === expected.kind && actual.group === expected.group && actual.version === expected.version;
}

function decodeAs(source: Source, actual: GroupVersionKind, request: BodyRequest): Decoded {
  const { kind: expected } = request;
  if (request.schema?.unstructured !== undefined) return decodeCustom(source, request.schema, request);
  const known = isExpected(actual, expected);
  if (!known && !isRegistered(actual.group, actual.version, actual.kind)) {
    const version = formatGroupVersion(actual.group, actual.version);
    throw new BodyError(
      `no kind ${goQuote(actual.kind)} is registered for version ${goQuote(version)} in scheme ${goQuote(schemeOf(expected))}`,
    );
  }
  const own = known ? request.schema : undefined;
  const schema =
    own ??
    schemaFor(actual.group, actual.version, actual.kind) ??
    request.schema ??
    schemaFor(expected.group, expected.version, expected.kind);
  if (schema === undefined) throw new BodyError(`no schema for kind ${goQuote(expected.kind)}`);
  const strict = request.fieldValidation !== "Ignore";
  const decoded =
    source.text === undefined
      ? decodeObject(schema, source.value)
      : decodeJson(schema, source.text, { strict, value: source.value });
  if (actual.kind !== expected.kind) throw new BodyError(conversionFault(actual, expected));
  return decoded;
}

function decodeCustom({ text, value }: Source, schema: StructSchema, { fieldValidation }: BodyRequest): Decoded {
  if (text === undefined) return decodeObject(schema, value);
  return decodeJson(schema, text, { strict: fieldValidation !== "Ignore", value });
}

/** Custom resources are decoded whatever they say that they are, and then judged. */
function wrongCustomKind(actual: GroupVersionKind, expected: GroupVersionKind, name: string): Error {
  const error = invalidField(FieldPath.of("kind"), actual.kind, `must be ${expected.kind}`);
  return invalid({ group: actual.group, kind: actual.kind }, name, [error]);
}

/** Where upstream's schemes are made; it tells in messages. */
function schemeOf(expected: GroupVersionKind): string {
  if (expected.group === "apiextensions.k8s.io") return "pkg/apiserver/apiserver.go:55";
  if (expected.group === "apiregistration.k8s.io") return "pkg/apiserver/scheme/scheme.go:28";
  if (expected.kind === "DeleteOptions") return "pkg/apis/meta/internalversion/scheme/register.go:27";
  return "pkg/api/legacyscheme/scheme.go:30";
}

function conversionFault(actual: GroupVersionKind, expected: GroupVersionKind): string {
  const folder = groupFolder(expected.group, expected.version) ?? expected.group;
  return `converting (${actual.version}.${actual.kind}) to (${folder}.${expected.kind}): unknown conversion`;
}

function report(strict: readonly string[], duplicates: readonly string[], validation: FieldValidation): readonly string[] {
  if (validation === "Ignore") return [];
  if (validation === "Warn") return [...duplicates, ...strict];
  const faults = duplicates.length === 0 ? strict : [`yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`, ...strict];
  if (faults.length > 0) throw new BodyError(`strict decoding error: ${faults.join(", ")}`);
  return [];
}

function checkVersion(actual: GroupVersionKind, request: BodyRequest): void {
  const { kind: expected } = request;
  if (actual.group === expected.group && actual.version === expected.version) return;
  if (request.acceptsVersion?.(actual.group, actual.version)) return;
  const given = formatGroupVersion(actual.group, actual.version);
  const wanted = formatGroupVersion(expected.group, expected.version);
  throw badRequest(`the API version in the data (${given}) does not match the expected API version (${wanted})`);
}
