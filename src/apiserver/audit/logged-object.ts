import { decodeProtobuf } from "#apimachinery/protobuf/decode.ts";
import { schemaByName, schemaFor } from "#apimachinery/schema/registry.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";
import { parseYaml } from "#apimachinery/schema/yaml.ts";

const META_PACKAGE = "io.k8s.apimachinery.pkg.apis.meta.v1";
const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";

/** An object, a list or a patch as it is written down. */
export interface LoggedObject {
  readonly kind?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/**
 * A body as JSON, one in protobuf too; undefined for what is neither, and for protobuf of a kind that nobody knows.
 * A document that cannot be read is left out, for the handler says what is wrong with it.
 */
export function loggedObject(
  body: string | Uint8Array,
  contentType: string,
  omitManagedFields: boolean,
): { readonly value: unknown } | undefined {
  const type = (contentType.split(";", 1)[0] ?? "").trim().toLowerCase();
  if (type === PROTOBUF_TYPE) return loggedProtobuf(body, omitManagedFields);
  const isYaml = type.includes("yaml");
  if (!isYaml && type !== "" && !type.endsWith("json")) return undefined;
  const text = typeof body === "string" ? body : Buffer.from(body).toString("utf8");
  try {
    const value: unknown = isYaml ? parseYaml(text).value : JSON.parse(text);
    return typeof value === "object" && value !== null ? told(value, omitManagedFields) : undefined;
  } catch {
    return undefined;
  }
}

function loggedProtobuf(body: string | Uint8Array, omitManagedFields: boolean): { readonly value: unknown } | undefined {
  try {
    const { apiVersion, kind, ...rest } = decodeProtobuf(Buffer.from(body), schemaOf);
    return Object.keys(rest).length === 0 ? undefined : told({ kind, apiVersion, ...rest }, omitManagedFields);
  } catch {
    return undefined;
  }
}

/** Status and the options of requests are of every group. */
function schemaOf(group: string, version: string, kind: string): StructSchema | undefined {
  return schemaFor(group, version, kind) ?? schemaByName(`${META_PACKAGE}.${kind}`);
}

function told(value: object, omitManagedFields: boolean): { readonly value: unknown } {
  return { value: omitManagedFields && !Array.isArray(value) ? withoutManagedFields(value) : value };
}

function withoutManagedFields(value: object): object {
  const { metadata, items, rows } = value as { metadata?: object; items?: unknown; rows?: unknown };
  return {
    ...value,
    ...(typeof metadata === "object" && metadata !== null ? { metadata: dropped(metadata) } : {}),
    ...(Array.isArray(items) ? { items: items.map(ofItem) } : {}),
    ...(Array.isArray(rows) ? { rows: rows.map(ofRow) } : {}),
  };
}

function ofItem(item: unknown): unknown {
  return typeof item === "object" && item !== null ? withoutManagedFields(item) : item;
}

function ofRow(row: { object?: unknown }): object {
  return { ...row, ...(row.object === undefined ? {} : { object: ofItem(row.object) }) };
}

function dropped(metadata: object): object {
  const { managedFields: _, ...rest } = metadata as { managedFields?: unknown };
  return rest;
}
