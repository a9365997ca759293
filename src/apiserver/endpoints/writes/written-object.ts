import { badRequest } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { dedupOwnerReferences } from "../../registry/store/owner-references.ts";
import { toStorageForm } from "../../registry/store/served-form.ts";
import { asDraft, type WriteRequest } from "../../registry/store/store-core.ts";
import type { ResourceEndpoint, Target } from "../handlers/resource-handler.ts";

/** Defaults of the client's version; those of the storage version follow the conversion. */
export function setDefaults(endpoint: ResourceEndpoint, object: ApiObject, subresource = ""): void {
  const { other } = endpoint.form;
  // Versions of equal shape have the storage version's defaults.
  if (other?.setDefaults !== undefined || other?.toStorage !== undefined) {
    other.setDefaults?.(object);
    return;
  }
  endpoint.store.core.strategy.setDefaults?.(asDraft(object));
  if (subresource !== "") endpoint.store.core.statusSubresource(subresource)?.setDefaults?.(asDraft(object));
}

/** The body is the object that the path names. Throws 400. */
export function checkName(body: ApiObject, target: Target): void {
  const name = body.metadata.name ?? "";
  if (name === "") {
    throw badRequest(`the name of the object (${target.name} based on URL) was undeterminable: name must be provided`);
  }
  if (name !== target.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${target.name})`);
  checkNamespace(body, target);
}

/** A body that names a namespace names that of the path. Throws 400. */
export function checkNamespace(body: ApiObject, target: Target): void {
  // A few bodies of functions have no metadata.
  const namespace = (body.metadata as ApiObject["metadata"] | undefined)?.namespace ?? "";
  if (target.namespace !== "" && namespace !== "" && namespace !== target.namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

/**
 * What admission and managedFields do to a changed object in the client's form; the result is in storage form. A promise only where
 * somebody has to wait.
 */
export function admitChange(
  endpoint: ResourceEndpoint,
  write: WriteRequest,
  name: string,
  changed: ApiObject,
  existing: ApiObject | undefined,
): ApiObject | Promise<ApiObject> {
  dedupOwnerReferences(changed, write.context.warnings, false);
  const tracking = endpoint.store.core.trackFields(changed, existing, write);
  if (tracking !== undefined) return tracking.then(() => admit(endpoint, write, name, changed, existing));
  return admit(endpoint, write, name, changed, existing);
}

/** Mutating admission of an object in the client's form that tells its managers already; the result is in storage form. */
export function admit(
  endpoint: ResourceEndpoint,
  write: WriteRequest,
  name: string,
  changed: ApiObject,
  existing: ApiObject | undefined,
): ApiObject | Promise<ApiObject> {
  const { core } = endpoint.store;
  const { warnings } = write.context;
  const object = toStorageForm(endpoint.form, core.definition, changed);
  const { other } = endpoint.form;
  if (other !== undefined && other.setDefaults === undefined) core.strategy.setDefaults?.(asDraft(object));
  const operation = existing === undefined ? "CREATE" : "UPDATE";
  const admitting = endpoint.modules.stores.admission.mutate(core.attributes(operation, write, name, object, existing));
  const admitted = (): ApiObject => {
    dedupOwnerReferences(object, warnings, true);
    return object;
  };
  return admitting === undefined ? admitted() : admitting.then(admitted);
}
