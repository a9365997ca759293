import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { DeleteRequest, ListOptions, WriteOptions } from "#client/client.ts";
import type { DeleteOptions } from "../../registry/resource.ts";
import { toServedForm } from "../../registry/store/served-form.ts";
import { createThrough } from "../handlers/connect.ts";
import { checkCustomPatchType } from "../handlers/custom-dispatch.ts";
import { failureOf, verbsOf } from "../handlers/dispatch.ts";
import { parseListOptions } from "../handlers/list-options.ts";
import type { Patch } from "../handlers/patch-object.ts";
import { listEntries } from "../handlers/read.ts";
import { targetOf } from "../handlers/resource-handler.ts";
import { methodNotAllowed } from "../handlers/route-errors.ts";
import { selectionOf } from "../handlers/selection.ts";
import { managerFromUserAgent } from "../handlers/write-options.ts";
import { deleteCollection, deleteResource } from "../writes/delete-resource.ts";
import type { StoreOptions } from "../writes/write-request.ts";
import { createResource, patchResource, updateResource } from "../writes/write-resource.ts";
import { decoded, type FunctionCall } from "./bodies.ts";
import type { Call } from "./caller.ts";
import { queryOf } from "./request-info.ts";

/** Of what is no function and no review. */
export async function createObject(call: Call, object: ApiObject, options: WriteOptions): Promise<ApiObject> {
  const { endpoint, context } = call;
  const result = await createResource(endpoint, context, writeOptions(call, options), decoded(endpoint.form, object));
  return toServedForm(endpoint.form, result.object);
}

/** Creates what is not there, if the caller may. */
export async function updateObject(call: Call, object: ApiObject, options: WriteOptions): Promise<ApiObject> {
  const { endpoint, context } = call;
  const decode = (): ApiObject => decoded(endpoint.form, object);
  const result = await updateResource(endpoint, context, writeOptions(call, options), decode);
  return toServedForm(endpoint.form, result.object);
}

/** Any patch but apply. */
export async function patchObject(call: Call, patch: Patch, options: WriteOptions): Promise<ApiObject> {
  const { endpoint, context } = call;
  if (endpoint.store.definition.custom === true) checkCustomPatchType(patch.kind);
  const result = await patchResource(endpoint, context, writeOptions(call, options), patch);
  return toServedForm(endpoint.form, result.object);
}

/** Answers without the object, as callers in process ask for none. */
export async function deleteObject({ endpoint, context }: Call, options: DeleteRequest): Promise<void> {
  await deleteResource(endpoint, context, deleteOptions(options));
}

/** Of a namespace or of all, those that `options` select. */
export async function deleteObjects(call: Call, namespace: string, options: ListOptions & DeleteRequest): Promise<void> {
  const { endpoint, context } = call;
  if (!verbsOf(endpoint.store.definition).includes("deletecollection")) throw methodNotAllowed();
  const { gracePeriodSeconds, propagationPolicy, preconditions, mayBeSent, ...listOptions } = options;
  const parsed = parseListOptions(queryOf(listOptions), false);
  const selection = selectionOf(endpoint, namespace, "", parsed.labelSelector, parsed.fieldSelector);
  const { entries } = await listEntries(endpoint, selection, parsed);
  await deleteCollection(endpoint, context, entries, deleteOptions(options));
}

/** A function of an object, such as a Pod's binding, that takes a body. */
export async function callFunction(call: Call, { called, body }: FunctionCall, options: WriteOptions): Promise<ApiObject> {
  const { endpoint, context } = call;
  try {
    return await createThrough(endpoint, called, context, targetOf(endpoint, context.info), body, writeOptions(call, options));
  } catch (thrown) {
    throw thrown instanceof StatusError ? thrown : new StatusError(failureOf(thrown));
  }
}

/** What the API knows of a component's options. */
function deleteOptions({ gracePeriodSeconds, propagationPolicy, preconditions }: DeleteRequest): DeleteOptions {
  return {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(preconditions === undefined ? {} : { preconditions: { ...preconditions } }),
  };
}

function writeOptions({ caller }: Call, options: WriteOptions): StoreOptions {
  return {
    dryRun: options.dryRun ?? false,
    fieldManager: options.fieldManager || managerFromUserAgent(caller.userAgent),
  };
}
