import type { ObjectMeta } from "#apimachinery/meta/api-object.ts";
import { type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1035Label, nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import { validateObjectMeta } from "#apimachinery/validation/object-meta.ts";
import type { Structural } from "../schema/structural.ts";

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
  const errors: FieldError[] = [];
  const versionPath = path.child("apiVersion");
  if (typeof apiVersion !== "string" || apiVersion === "") errors.push(required(versionPath, ""));
  else if (apiVersion.split("/").length > 2) {
    errors.push(invalid(versionPath, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  }
  const kindPath = path.child("kind");
  if (typeof kind !== "string" || kind === "") errors.push(required(kindPath, ""));
  else {
    const faults = isDns1035Label(kind.toLowerCase());
    if (faults.length > 0) {
      errors.push(invalid(kindPath, kind, `may have mixed case, but should otherwise match: ${faults.join(",")}`));
    }
  }
  if (metadata !== null && typeof metadata === "object")
    errors.push(...validateMetadata(metadata as ObjectMeta, path.child("metadata")));
  return errors;
}

/** A name is checked where there is one. */
function validateMetadata(metadata: ObjectMeta, path: FieldPath): FieldError[] {
  const named = metadata.name ? metadata : { ...metadata, name: "fakename" };
  return validateObjectMeta(named, metadata.namespace !== undefined, nameIsDnsSubdomain, path);
}
