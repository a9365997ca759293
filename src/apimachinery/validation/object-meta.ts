import { type ObjectMeta, type OwnerReference, parseGroupVersion } from "../meta/api-object.ts";
import { semanticEqual } from "../meta/deep-equal.ts";
import { type FieldError, forbidden, goQuote, invalid, required, tooLong } from "./field-error.ts";
import type { FieldPath } from "./field-path.ts";
import { validateLabels } from "./labels.ts";
import { validateManagedFields } from "./managed-fields.ts";
import { byteLength, isQualifiedName, type NameValidator, nameIsDnsLabel } from "./names.ts";

/** Metadata of any API object, as far as it is read here. */
type Meta = {
  readonly [K in keyof ObjectMeta]?: ObjectMeta[K] extends infer V ? (V extends object ? Readonly<V> : V) | undefined : never;
};

/** All annotations of an object, keys and values together, in bytes. */
export const ANNOTATIONS_BYTES_MAX: number = 256 * 1024;
/** The message of every change to a field that may not change. */
export const IMMUTABLE_MESSAGE = "field is immutable";

const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

/** What {@link validateObjectMeta} may leave out. */
export interface ObjectMetaOptions {
  /** Finalizers without a domain are refused but for the standard ones. Custom resources have no such rule. */
  readonly qualifiedFinalizers?: boolean;
}

/** The metadata of a new object, after its name was generated (`ValidateObjectMeta` of pkg/apis/core/validation). */
export function validateObjectMeta(
  meta: Meta,
  namespaced: boolean,
  validateName: NameValidator,
  path: FieldPath,
  options: ObjectMetaOptions = {},
): FieldError[] {
  const errors: FieldError[] = [];
  if (meta.generateName) {
    for (const message of validateName(meta.generateName, true)) {
      errors.push(invalid(path.child("generateName"), meta.generateName, message));
    }
  }
  if (!meta.name) errors.push(required(path.child("name"), "name or generateName is required"));
  else for (const message of validateName(meta.name, false)) errors.push(invalid(path.child("name"), meta.name, message));
  addNamespaceErrors(errors, meta.namespace ?? "", namespaced, path);
  if ((meta.generation ?? 0) < 0) errors.push(invalid(path.child("generation"), meta.generation, NOT_NEGATIVE));
  addLabelErrors(errors, meta, path);
  if (meta.ownerReferences) errors.push(...validateOwnerReferences(meta.ownerReferences, path.child("ownerReferences")));
  if (meta.finalizers) errors.push(...validateFinalizers(meta.finalizers, path.child("finalizers")));
  if (meta.managedFields) errors.push(...validateManagedFields(meta.managedFields, path.child("managedFields")));
  if (options.qualifiedFinalizers !== false) {
    meta.finalizers?.forEach((name, i) => {
      errors.push(...validateKubeFinalizer(name, path.child("finalizers").index(i)));
    });
  }
  return errors;
}

const NOT_NEGATIVE = "must be greater than or equal to 0";

function addNamespaceErrors(errors: FieldError[], namespace: string, namespaced: boolean, path: FieldPath): void {
  if (!namespaced) {
    if (namespace !== "") errors.push(forbidden(path.child("namespace"), "not allowed on this type"));
  } else if (namespace === "") errors.push(required(path.child("namespace"), ""));
  else for (const message of nameIsDnsLabel(namespace, false)) errors.push(invalid(path.child("namespace"), namespace, message));
}

// Most objects have few of these, and every write asks for them: what is absent costs neither a path nor a list.
function addLabelErrors(errors: FieldError[], { labels, annotations }: Meta, path: FieldPath): void {
  if (labels) errors.push(...validateLabels(labels, path.child("labels")));
  if (annotations) errors.push(...validateAnnotations(annotations, path.child("annotations")));
}

/** What may change in metadata, and whether the new metadata is well formed (`ValidateObjectMetaUpdate`). */
export function validateObjectMetaUpdate(meta: Meta, old: Meta, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp) errors.push(...validateNoNewFinalizers(meta.finalizers, old.finalizers, path.child("finalizers")));
  if (!meta.resourceVersion) errors.push(invalid(path.child("resourceVersion"), "", "must be specified for an update"));
  const generation = meta.generation ?? 0;
  if (generation < 0) errors.push(invalid(path.child("generation"), generation, NOT_NEGATIVE));
  if (generation < (old.generation ?? 0)) errors.push(invalid(path.child("generation"), generation, "must not be decremented"));
  for (const key of IDENTITY) {
    if (!semanticEqual(meta[key] ?? "", old[key] ?? ""))
      errors.push(invalid(path.child(key), meta[key] ?? "", IMMUTABLE_MESSAGE));
  }
  for (const key of TIMES) {
    if (!semanticEqual(meta[key], old[key])) errors.push(invalid(path.child(key), meta[key], IMMUTABLE_MESSAGE));
  }
  addLabelErrors(errors, meta, path);
  if (meta.ownerReferences) errors.push(...validateOwnerReferences(meta.ownerReferences, path.child("ownerReferences")));
  if (meta.managedFields) errors.push(...validateManagedFields(meta.managedFields, path.child("managedFields")));
  return errors;
}

const IDENTITY = ["name", "namespace", "uid"] as const;
const TIMES = ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] as const;

/** One error when the values differ; the new value is shown. */
export function validateImmutableField(value: unknown, old: unknown, path: FieldPath): FieldError[] {
  return semanticEqual(value, old) ? [] : [invalid(path, value, IMMUTABLE_MESSAGE)];
}

/** Keys as label keys but in any case; 256 KiB in all. */
export function validateAnnotations(annotations: Readonly<Record<string, string>> | undefined, path: FieldPath): FieldError[] {
  if (annotations === undefined || annotations === null) return [];
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const key of Object.keys(annotations).sort()) {
    for (const message of isQualifiedName(key.toLowerCase())) errors.push(invalid(path, key, message));
    bytes += byteLength(key) + byteLength(annotations[key] ?? "");
  }
  if (bytes > ANNOTATIONS_BYTES_MAX) errors.push(tooLong(path, ANNOTATIONS_BYTES_MAX));
  return errors;
}

/** Upstream names the list, not the reference. Each reference is complete, none is an Event, at most one is the controller. */
export function validateOwnerReferences(references: readonly OwnerReference[] | undefined, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  let controller = "";
  references?.forEach((reference) => {
    errors.push(...validateOwnerReference(reference, path));
    if (reference.controller !== true) return;
    const name = `${reference.kind ?? ""}/${reference.name ?? ""}`;
    if (controller !== "") {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`;
      errors.push(invalid(path, references.map(inGoOrder), detail));
    } else controller = name;
  });
  return errors;
}

function validateOwnerReference(reference: OwnerReference, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const apiVersion = reference.apiVersion ?? "";
  const { group, version } = apiVersion.split("/").length > 2 ? { group: "", version: "" } : parseGroupVersion(apiVersion);
  if (version === "") errors.push(invalid(path.child("apiVersion"), apiVersion, "version must not be empty"));
  for (const key of ["kind", "name", "uid"] as const) {
    if (!reference[key]) errors.push(invalid(path.child(key), "", "must not be empty"));
  }
  if (group === "" && version === "v1" && reference.kind === "Event") {
    errors.push(invalid(path, inGoOrder(reference), "/v1, Kind=Event is disallowed from being an owner"));
  }
  return errors;
}

function inGoOrder(reference: OwnerReference): OwnerReference {
  return {
    apiVersion: reference.apiVersion ?? "",
    kind: reference.kind ?? "",
    name: reference.name ?? "",
    uid: reference.uid ?? "",
    ...(reference.controller === undefined ? {} : { controller: reference.controller }),
    ...(reference.blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion: reference.blockOwnerDeletion }),
  };
}

/** Finalizers are label keys, and the two for dependents exclude each other. */
export function validateFinalizers(finalizers: readonly string[] | undefined, path: FieldPath): FieldError[] {
  if (!finalizers) return [];
  const errors: FieldError[] = [];
  for (const name of finalizers) {
    for (const message of isQualifiedName(name)) errors.push(invalid(path, name, message));
  }
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    errors.push(invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"));
  }
  return errors;
}

/** A finalizer of a built-in kind or namespace: a standard name, or one with a domain. */
export function validateStandardFinalizer(name: string, path: FieldPath): FieldError[] {
  const wrong = isQualifiedName(name).map((message) => invalid(path, name, message));
  return wrong.length > 0 ? wrong : validateKubeFinalizer(name, path);
}

/** Upstream's `validateKubeFinalizerName`: says nothing of names with a domain, however wrong. */
function validateKubeFinalizer(name: string, path: FieldPath): FieldError[] {
  if (name.includes("/") || STANDARD_FINALIZERS.has(name)) return [];
  return [invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified")];
}

function validateNoNewFinalizers(
  finalizers: readonly string[] | undefined,
  old: readonly string[] | undefined,
  path: FieldPath,
): FieldError[] {
  const known = new Set(old);
  const extra = [...new Set(finalizers)].filter((name) => !known.has(name)).sort();
  if (extra.length === 0) return [];
  const listed = `[]string{${extra.map(goQuote).join(", ")}}`;
  return [forbidden(path, `no new finalizers can be added if the object is being deleted, found new finalizers ${listed}`)];
}

export { validateLabelSelector, validateLabels } from "./labels.ts";
