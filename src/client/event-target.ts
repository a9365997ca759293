import type { ObjectMeta } from "#apimachinery/meta/api-object.ts";

/** What an event is about: core/v1 ObjectReference. */
export interface ObjectReference {
  readonly kind: string;
  readonly apiVersion: string;
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** `spec.containers{app}`. */
  readonly fieldPath?: string;
}

/** An object that says its kind; items of lists and informers may not: use {@link referenceTo} for those. */
export interface TypedObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: object;
}

/** A reference to an object whose kind the caller knows. */
export function referenceTo(apiVersion: string, kind: string, object: { readonly metadata: object }): ObjectReference {
  const { name = "", namespace, uid, resourceVersion } = object.metadata as ObjectMeta;
  return {
    kind,
    apiVersion,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

/** The reference itself, or one to the object given. */
export function toReference(target: ObjectReference | TypedObject): ObjectReference {
  if (!("metadata" in target)) return target;
  return referenceTo(target.apiVersion ?? "", target.kind ?? "", target);
}
