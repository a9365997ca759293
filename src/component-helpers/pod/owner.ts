import type { OwnerReference } from "#api/generated/meta/v1.ts";

interface Owned {
  readonly metadata: { readonly ownerReferences?: readonly OwnerReference[] };
}

/** The one owner that manages the object. */
export function controllerOf(object: Owned): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** The reference that a controller puts on what it makes: it manages the object and waits for its deletion. */
export function controllerReference(
  apiVersion: string,
  kind: string,
  owner: { readonly metadata: { readonly name?: string; readonly uid?: string } },
): OwnerReference {
  const { name = "", uid = "" } = owner.metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}
