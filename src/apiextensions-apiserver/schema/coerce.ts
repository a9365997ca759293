import type { ObjectMeta } from "#apimachinery/meta/api-object.ts";
import { decodeObject } from "#apimachinery/schema/decode.ts";
import { DecodeError } from "#apimachinery/schema/exact-decode.ts";
import { setOwn } from "#apimachinery/schema/json-node.ts";
import { schemaByName } from "#apimachinery/schema/registry.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { assert } from "#base/assert.ts";
import { sortedKeys } from "../sorted-keys.ts";
import type { Structural } from "./structural.ts";

type Members = Record<string, unknown>;

/** Of {@link coerceEmbedded}. */
export interface CoerceOptions {
  /** Leaves out what has a wrong type, as of objects that were stored before the schema said so. */
  readonly dropInvalid: boolean;
  /** Takes the paths of metadata fields that there are not. */
  readonly unknown?: string[];
}

/**
 * Reads `apiVersion`, `kind` and `metadata` of whole resources within a resource as any resource's: unknown fields of
 * metadata go. The first value of a wrong type is told, and the reading ends there. Changes its argument. Upstream's
 * `objectmeta.CoerceWithOptions`.
 */
export function coerceEmbedded(
  value: unknown,
  schema: Structural | undefined,
  options: CoerceOptions,
  path: FieldPath = FieldPath.root,
): FieldError | undefined {
  if (schema === undefined || value === null || typeof value !== "object") return undefined;
  if (Array.isArray(value)) {
    return firstOf(value.entries(), ([index, item]) => coerceEmbedded(item, schema.items, options, path.index(index)));
  }
  const members = value as Members;
  return firstOf(Object.keys(members).sort(), (name) => {
    const problem = schema.embeddedResource ? coerceMember(members, name, options, path) : undefined;
    if (problem !== undefined) return problem;
    const property = schema.properties.get(name);
    if (property !== undefined) return coerceEmbedded(members[name], property, options, path.child(name));
    return coerceEmbedded(members[name], schema.additional?.schema, options, path.key(name));
  });
}

function coerceMember(members: Members, name: string, options: CoerceOptions, path: FieldPath): FieldError | undefined {
  const value = members[name];
  if ((name === "apiVersion" || name === "kind") && typeof value !== "string") {
    if (!options.dropInvalid) return invalid(path.child(name), value, "must be a string");
    delete members[name];
  }
  if (name !== "metadata") return undefined;
  try {
    const { object, strict } = decodeObject(metadataType(), value);
    setOwn(members, name, object);
    for (const text of strict) options.unknown?.push(`${path.child(name)}.${/"(.*)"/.exec(text)?.[1] ?? ""}`);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    if (!options.dropInvalid) return invalid(path.child(name), sortedKeys(value), error.message);
    setOwn(members, name, readableMetadata(value));
  }
  return undefined;
}

/** The metadata of a whole resource within another; throws DecodeError for values of wrong types. */
export function embeddedMetadata(value: unknown): ObjectMeta {
  return decodeObject(metadataType(), value).object as ObjectMeta;
}

/** Field by field: what cannot be read is left out. */
function readableMetadata(value: unknown): Members {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return {};
  let read: Members = {};
  for (const [name, item] of Object.entries(value)) {
    try {
      read = { ...read, ...decodeObject(metadataType(), { [name]: item }).object };
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  return read;
}

function metadataType(): StructSchema {
  const metadata = schemaByName("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  assert(metadata?.kind === "struct", "metadata has a type");
  return metadata;
}

function firstOf<T, R>(items: Iterable<T>, find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
