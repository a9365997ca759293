import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { encodeMessage } from "#apimachinery/protobuf/encode.ts";
import { normalizeOwned } from "#apimachinery/schema/normalize.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";
import { assert } from "#base/assert.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import { type EncodedObject, encodeObject } from "../../serializer.ts";
import type { ResourceDefinition, ServedVersion } from "../resource.ts";

/** Finds the type of a kind. */
export type SchemaFor = (group: string, version: string, kind: string) => StructSchema | undefined;

/** One served version of a stored resource: the form in which clients of that version see its objects. */
export interface ServedForm {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** `v1` or `group/version`. */
  readonly apiVersion: string;
  readonly schema: StructSchema;
  /** Annotations that metadata alone does not show. */
  readonly fieldAnnotations: readonly string[];
  /** Absent for the storage version itself. */
  readonly other: ServedVersion | undefined;
}

/** All forms of a resource, the storage version's first. */
export function servedForms(definition: ResourceDefinition, schemaFor: SchemaFor): ServedForm[] {
  return [undefined, ...(definition.otherVersions ?? [])].map((other) => formOf(definition, other, schemaFor));
}

function formOf(definition: ResourceDefinition, other: ServedVersion | undefined, schemaFor: SchemaFor): ServedForm {
  const { kind } = definition;
  const group = other?.group ?? definition.group;
  const version = other?.version ?? definition.version;
  const schema = schemaFor(group, version, kind);
  assert(schema !== undefined, `no type ${kind} in ${group}/${version}`);
  const apiVersion = formatGroupVersion(group, version);
  return { group, version, kind, apiVersion, schema, fieldAnnotations: definition.fieldAnnotations ?? [], other };
}

/** The form of a version that is not served, in which objects may be stored or have managers; undefined for others. */
export function knownForm(definition: ResourceDefinition, apiVersion: string, schemaFor: SchemaFor): ServedForm | undefined {
  const known = definition.knownVersions?.find(
    ({ group = definition.group, version }) => formatGroupVersion(group, version) === apiVersion,
  );
  return known && formOf(definition, known, schemaFor);
}

/** From a served form, with its defaults, to the storage form. Takes its argument over. */
export function toStorageForm(form: ServedForm, definition: ResourceDefinition, object: ApiObject): ApiObject {
  form.other?.setDefaults?.(object);
  return convertToStorage(form, definition, object);
}

/** As {@link toStorageForm}, for objects that stay as they are: no defaults. */
export function convertToStorage(form: ServedForm, definition: ResourceDefinition, object: ApiObject): ApiObject {
  if (form.other === undefined) return object;
  const stored = form.other.toStorage?.(object) ?? object;
  stored.apiVersion = formatGroupVersion(definition.group, definition.version);
  stored.kind = definition.kind;
  return stored;
}

/** From the storage form to a served form; a copy unless they are the same. Keeps resourceVersion. */
export function toServedForm(form: ServedForm, object: ApiObject): ApiObject {
  if (form.other === undefined) return object;
  const copy: ApiObject = deepCopy(object);
  const served = form.other.fromStorage?.(copy) ?? copy;
  served.apiVersion = form.apiVersion;
  served.kind = form.kind;
  return normalizeOwned(form.schema, served) as ApiObject;
}

/** The bytes of a cached object in a served form. Shared: made once per state and form. */
export function encodedInForm(form: ServedForm, entry: CacheEntry): EncodedObject {
  if (form.other === undefined) return entry.encoded;
  return entry.encodedAs(form.apiVersion, (object) => encodeObject(toServedForm(form, object)));
}

/** The protobuf message of a cached object in a served form. Shared: made once per state and form. */
export function messageInForm(form: ServedForm, entry: CacheEntry): Uint8Array {
  return entry.messageAs(form.apiVersion, (object) => encodeMessage(form.schema, toServedForm(form, object)));
}

/** Whether {@link encodedInForm} has its answer and need not make it. */
export function isEncodedInForm(form: ServedForm, entry: CacheEntry): boolean {
  return form.other === undefined ? entry.isEncoded : entry.isEncodedAs(form.apiVersion);
}
