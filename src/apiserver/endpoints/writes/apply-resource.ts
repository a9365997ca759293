import { conflict } from "#apimachinery/api-errors/errors.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import { applyConfiguration, objectText } from "#apimachinery/managedfields/apply.ts";
import { KUBECTL_MANAGER, updateLastApplied } from "#apimachinery/managedfields/apply-last-applied.ts";
import { asMap, type JsonMap } from "#apimachinery/managedfields/field-values.ts";
import { type ApiObject, parseGroupVersion } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { decodeObject } from "#apimachinery/schema/decode.ts";
import { DecodeError } from "#apimachinery/schema/exact-decode.ts";
import { assert } from "#base/assert.ts";
import { converting } from "../../conversion/conversion-memo.ts";
import { toServedForm } from "../../registry/store/served-form.ts";
import type { UpdateResult } from "../../registry/store/update-object.ts";
import type { RequestContext } from "../../request/request-info.ts";
import type { ApplyBody } from "../handlers/apply-body.ts";
import type { ExpectedKind } from "../handlers/body.ts";
import { converterError } from "../handlers/converter-error.ts";
import { type ResourceEndpoint, targetOf } from "../handlers/resource-handler.ts";
import { authorizeCreate, writeRequest } from "./write-request.ts";
import { admit, checkName, setDefaults } from "./written-object.ts";

/** Server-side apply (KEP-555) of an object or its status, upstream's `applyPatcher`: an absent object is made, if the user may. */
export function applyResource(endpoint: ResourceEndpoint, context: RequestContext, body: ApplyBody): Promise<UpdateResult> {
  const target = targetOf(endpoint, context.info);
  const write = writeRequest(endpoint, context, target, body.options);
  return endpoint.store.updateWith({
    name: target.name,
    expectedUid: "",
    mayCreate: true,
    forceCreate: true,
    transform: async (existing) => {
      const object = await converting(() => apply(endpoint, body, target.subresource, existing));
      if (existing === undefined) checkNoUid(endpoint, object, target.name);
      checkName(object, target);
      if (existing === undefined) await authorizeCreate(endpoint, context);
      return admit(endpoint, write, target.name, object, existing);
    },
    ...write,
  });
}

/** The applied object in the client's form, with its managers and defaults. */
function apply(endpoint: ResourceEndpoint, body: ApplyBody, subresource: string, existing: ApiObject | undefined): ApiObject {
  const { form, store } = endpoint;
  const { config, options } = body;
  const resetFields = store.core.resetFields(subresource);
  const versions = store.core.versions(subresource);
  const { object: merged, managedFields } = applyConfiguration({
    ...form,
    resetFields,
    live: existing === undefined ? undefined : toServedForm(form, existing),
    config,
    manager: options.fieldManager,
    subresource,
    force: options.force,
    now: store.core.now(),
    versions: versions.find,
    convert: (object, from, to) => {
      const source = versions.find(from);
      assert(source !== undefined, `${from} is one of the resource's versions`);
      const kind = { ...source, ...parseGroupVersion(from), kind: form.kind };
      return asMap(versions.convert(decodeApplied(object, kind, object), from, to)) ?? {};
    },
  });
  const object = decodeApplied(merged, form, config);
  setDefaults(endpoint, object, subresource);
  delete object.metadata.managedFields;
  if (managedFields !== undefined) object.metadata.managedFields = managedFields;
  if (options.fieldManager === KUBECTL_MANAGER) updateLastApplied(object, config);
  body.checkDuplicates();
  return object;
}

/** A merged object as one of its kind. Throws 500 for values that their types cannot read, as upstream. */
export function decodeApplied(
  merged: JsonMap,
  expected: ExpectedKind & { readonly apiVersion: string },
  config: JsonMap,
): ApiObject {
  const value: Record<string, unknown> = deepCopy(merged);
  try {
    const object = decodeObject(expected.schema, value).object as unknown as ApiObject;
    object.apiVersion = expected.apiVersion;
    object.kind = expected.kind;
    object.metadata ??= {};
    return object;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const kind = `${expected.group}/${expected.version}, Kind=${expected.kind}`;
    const reason = `unable to convert unstructured object to ${kind}: ${converterError(expected.schema, merged, error.message)}`;
    throw plainError(`failed to convert new object (${objectText(config)}) to proper version: ${reason}`);
  }
}

function checkNoUid(endpoint: ResourceEndpoint, object: ApiObject, name: string): void {
  const uid = object.metadata.uid ?? "";
  if (uid === "") return;
  const message = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
  throw conflict(endpoint.store.core.resourceOf(endpoint), name, message);
}
