import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { DeleteRequest, ListOptions, WriteOptions } from "#client/client.ts";
import type { DeleteOptions } from "../../registry/resource.ts";
import { toServedForm } from "../../registry/store/served-form.ts";
import type { WriteRequest } from "../../registry/store/store-core.ts";
import { createThrough } from "../handlers/connect.ts";
import { deleteEntries } from "../handlers/delete.ts";
import { failureOf } from "../handlers/dispatch.ts";
import { parseListOptions } from "../handlers/list-options.ts";
import type { Patch } from "../handlers/patch-object.ts";
import { listEntries } from "../handlers/read.ts";
import { targetOf } from "../handlers/resource-handler.ts";
import { selectionOf } from "../handlers/selection.ts";
import { admitChange, checkName, setDefaults, writeRequest } from "../handlers/write.ts";
import { managerFromUserAgent } from "../handlers/write-options.ts";
import { decoded, type FunctionCall } from "./bodies.ts";
import type { Call } from "./caller.ts";
import { queryOf } from "./request-info.ts";

/** Of what is no function and no review. */
export async function createObject(call: Call, object: ApiObject, options: WriteOptions): Promise<ApiObject> {
  const { endpoint } = call;
  const body = decoded(endpoint.form, object);
  setDefaults(endpoint, body);
  const result = await endpoint.store.createFrom(body, writeOf(call, options));
  return toServedForm(endpoint.form, result.object);
}

/** Creates what is not there, if the caller may. */
export async function updateObject(call: Call, object: ApiObject, options: WriteOptions): Promise<ApiObject> {
  const { caller, endpoint, context } = call;
  const { info } = context;
  const decode = (): ApiObject => {
    const body = decoded(endpoint.form, object);
    setDefaults(endpoint, body, info.subresource);
    return body;
  };
  const body = decode();
  checkName(body, targetOf(endpoint, info));
  const write = writeOf(call, options);
  // Nearly always the first attempt is the last one.
  let unused: ApiObject | undefined = body;
  const result = await endpoint.store.updateWith({
    ...write,
    name: info.name,
    expectedUid: body.metadata.uid ?? "",
    mayCreate: true,
    transform: (existing) => {
      const change = (): ApiObject | Promise<ApiObject> => {
        const changed = unused ?? decode();
        unused = undefined;
        return admitChange(endpoint, write, info.name, changed, existing);
      };
      const allowed = existing === undefined ? caller.authorize({ ...info, verb: "create" }) : undefined;
      return allowed === undefined ? change() : allowed.then(change);
    },
  });
  return toServedForm(endpoint.form, result.object);
}

/** Any patch but apply. */
export async function patchObject(call: Call, patch: Patch, options: WriteOptions): Promise<ApiObject> {
  const { endpoint, context } = call;
  const target = targetOf(endpoint, context.info);
  const write = writeOf(call, options);
  const result = await endpoint.store.updateWith({
    ...write,
    name: target.name,
    expectedUid: "",
    mayCreate: false,
    transform: (existing) => {
      const current = toServedForm(endpoint.form, existing as ApiObject);
      const changed = patch.apply(current, endpoint.form, context.warnings);
      setDefaults(endpoint, changed, target.subresource);
      checkName(changed, target);
      return admitChange(endpoint, write, target.name, changed, existing);
    },
  });
  return toServedForm(endpoint.form, result.object);
}

/** Answers without the object, as callers in process ask for none. */
export async function deleteObject(call: Call, name: string, options: DeleteRequest): Promise<void> {
  const { mayBeSent: _, ...body } = options;
  await call.endpoint.store.deleteWith(name, body as DeleteOptions, writeOf(call, {}));
}

/** Of a namespace or of all, those that `options` select. */
export async function deleteObjects(call: Call, namespace: string, options: ListOptions & DeleteRequest): Promise<void> {
  const { endpoint } = call;
  const { gracePeriodSeconds, propagationPolicy, preconditions, mayBeSent: _, ...listOptions } = options;
  const parsed = parseListOptions(queryOf(listOptions), false);
  const selection = selectionOf(endpoint, namespace, "", parsed.labelSelector, parsed.fieldSelector);
  const { entries } = await listEntries(endpoint, selection, parsed);
  const deletion: DeleteOptions = {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(preconditions === undefined ? {} : { preconditions: { ...preconditions } }),
  };
  await deleteEntries(endpoint, entries, deletion, writeOf(call, {}));
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

function writeOf(call: Call, options: WriteOptions): WriteRequest {
  const { endpoint, context } = call;
  return writeRequest(endpoint, context, targetOf(endpoint, context.info), writeOptions(call, options));
}

function writeOptions({ caller }: Call, options: WriteOptions): { dryRun: boolean; fieldManager: string } {
  return {
    dryRun: options.dryRun ?? false,
    fieldManager: options.fieldManager ?? managerFromUserAgent(caller.userAgent),
  };
}
