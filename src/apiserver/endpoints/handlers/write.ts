import { badRequest, isForbidden } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { bodyFormat } from "#apimachinery/schema/decode-body.ts";
import { subresourcesOf } from "../../registry/resource.ts";
import { dedupOwnerReferences } from "../../registry/store/owner-references.ts";
import { toStorageForm } from "../../registry/store/served-form.ts";
import { asDraft, type WriteRequest } from "../../registry/store/store-core.ts";
import type { RequestContext } from "../../request/request-info.ts";
import type { ApiResponse, ResourceRequest } from "../response.ts";
import { decodeBody } from "./body.ts";
import { header } from "./headers.ts";
import { negotiate } from "./negotiation.ts";
import { entryResponse, objectResponse } from "./representation.ts";
import { hasProtobuf, type ResourceEndpoint, type Target, targetOf } from "./resource-handler.ts";
import { parseWriteOptions, type WriteOptions } from "./write-options.ts";

/** POST to a collection. */
export async function handleCreate(endpoint: ResourceEndpoint, request: ResourceRequest): Promise<ApiResponse> {
  const negotiated = negotiate(header(request, "accept"), hasProtobuf(endpoint));
  const format = bodyFormat(header(request, "content-type"));
  const options = parseWriteOptions(request.query, "CreateOptions", request.userAgent);
  const target = targetOf(endpoint, request.info);
  const body = decodeBody(request.body, format, endpoint.form, options.fieldValidation, request.warnings);
  setDefaults(endpoint, body);
  const result = await endpoint.store.createFrom(body, writeRequest(endpoint, request, target, options));
  warnDeprecated(endpoint, request);
  return result.entry === undefined
    ? objectResponse(endpoint, negotiated, request.query, result.object, 201)
    : entryResponse(endpoint, negotiated, request.query, result.entry, 201);
}

/** PUT of an object or of its status. */
export async function handleUpdate(endpoint: ResourceEndpoint, request: ResourceRequest): Promise<ApiResponse> {
  const negotiated = negotiate(header(request, "accept"), hasProtobuf(endpoint));
  const format = bodyFormat(header(request, "content-type"));
  const options = parseWriteOptions(request.query, "UpdateOptions", request.userAgent);
  const target = targetOf(endpoint, request.info);
  const decode = (warnings: string[]): ApiObject => {
    const decoded = decodeBody(request.body, format, endpoint.form, options.fieldValidation, warnings);
    setDefaults(endpoint, decoded, target.subresource);
    return decoded;
  };
  const body = decode(request.warnings);
  checkName(body, target);
  // Nearly always the first attempt is the last one.
  let unused: ApiObject | undefined = body;
  const write = writeRequest(endpoint, request, target, options);
  const result = await endpoint.store.updateWith({
    ...write,
    name: target.name,
    expectedUid: body.metadata.uid ?? "",
    mayCreate: true,
    transform: (existing) => {
      const change = (): ApiObject | Promise<ApiObject> => {
        const changed = unused ?? decode([]);
        unused = undefined;
        return admitChange(endpoint, write, target.name, changed, existing);
      };
      return existing === undefined ? authorizeCreate(endpoint, request).then(change) : change();
    },
  });
  const status = result.created ? 201 : 200;
  return result.entry === undefined
    ? objectResponse(endpoint, negotiated, request.query, result.object, status)
    : entryResponse(endpoint, negotiated, request.query, result.entry, status);
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

/** The parts of a write that the store needs to know. */
export function writeRequest(
  endpoint: ResourceEndpoint,
  context: RequestContext,
  target: Target,
  options: Pick<WriteOptions, "dryRun" | "fieldManager">,
): WriteRequest {
  return {
    context,
    namespace: target.namespace,
    subresource: target.subresource,
    dryRun: options.dryRun,
    fieldManager: options.fieldManager,
    form: endpoint.form,
    admit: true,
  };
}

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

/** Writes that make their object need the right to. Throws 403. */
export async function authorizeCreate(endpoint: ResourceEndpoint, request: ResourceRequest): Promise<void> {
  const refusal = await endpoint.modules.authorize?.(request, { ...request.info, verb: "create" });
  if (refusal !== undefined && isForbidden(refusal)) throw refusal;
}

/** Every answer of a deprecated version says so. */
export function warnDeprecated(endpoint: ResourceEndpoint, request: ResourceRequest): void {
  const { other } = endpoint.form;
  const { definition } = endpoint.store;
  const subresource = subresourcesOf(definition, other)[request.info.parts[2] ?? ""];
  const own = subresource === undefined || subresource.type === "status" ? undefined : subresource.deprecationWarning;
  const warning = own ?? (other === undefined ? definition.deprecationWarning : other.deprecationWarning);
  if (warning !== undefined && !request.warnings.includes(warning)) request.warnings.push(warning);
}
