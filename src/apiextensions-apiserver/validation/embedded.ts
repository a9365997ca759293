import { DecodeError } from "#apimachinery/schema/exact-decode.ts";
import { type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1035Label, isPathSegmentName } from "#apimachinery/validation/names.ts";
import { validateObjectMeta } from "#apimachinery/validation/object-meta.ts";
import { embeddedMetadata } from "../schema/coerce.ts";
import type { Structural } from "../schema/structural.ts";
import { sortedKeys } from "../sorted-keys.ts";

/** Checks `apiVersion`, `kind` and `metadata` of whole resources within a resource. Upstream's `objectmeta.Validate`. */
export function validateEmbedded(schema: Structural | undefined, value: unknown, path: FieldPath = FieldPath.root): FieldError[] {
  if (schema === undefined || value === null || typeof value !== "object") return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => validateEmbedded(schema.items, item, path.index(index)));
  const own = schema.embeddedResource ? validateResource(value as Record<string, unknown>, path) : [];
  const below = Object.entries(value).flatMap(([name, item]) => {
    const property = schema.properties.get(name);
    if (property !== undefined) return validateEmbedded(property, item, path.child(name));
    return validateEmbedded(schema.additional?.schema, item, path.key(name));
  });
  return [...own, ...below];
}

function validateResource(value: Readonly<Record<string, unknown>>, path: FieldPath): FieldError[] {
  const { apiVersion, kind, metadata } = value;
  const absent = ["apiVersion", "kind"].filter((name) => value[name] === undefined);
  return [
    ...absent.map((name) => required(path.child(name), "")),
    ...(apiVersion === undefined ? [] : validateApiVersion(apiVersion, path.child("apiVersion"))),
    ...(kind === undefined ? [] : validateKind(kind, path.child("kind"))),
    ...(metadata === undefined ? [] : validateMetadata(metadata, path.child("metadata"))),
  ];
}

function validateApiVersion(apiVersion: unknown, path: FieldPath): FieldError[] {
  if (typeof apiVersion !== "string") return [invalid(path, apiVersion, "must be a string")];
  if (apiVersion === "") return [invalid(path, apiVersion, "must not be empty")];
  if (apiVersion.split("/").length <= 2) return [];
  return [invalid(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)];
}

function validateKind(kind: unknown, path: FieldPath): FieldError[] {
  if (typeof kind !== "string") return [invalid(path, kind, "must be a string")];
  if (kind === "") return [invalid(path, kind, "must not be empty")];
  const faults = isDns1035Label(kind.toLowerCase());
  if (faults.length === 0) return [];
  return [invalid(path, kind, `may have mixed case, but should otherwise match: ${faults.join(",")}`)];
}

/** A name is checked where there is one. */
function validateMetadata(value: unknown, path: FieldPath): FieldError[] {
  try {
    const metadata = embeddedMetadata(value);
    const named = { ...metadata, name: metadata.name || "fakename" };
    return validateObjectMeta(named, Boolean(metadata.namespace), isPathSegmentName, path, { qualifiedFinalizers: false });
  } catch (error) {
    if (error instanceof DecodeError) return [invalid(path, sortedKeys(value), error.message)];
    throw error;
  }
}
