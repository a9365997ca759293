import { badRequest, invalid } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { trackUpdate } from "#apimachinery/managedfields/update.ts";
import { parentManagers, viewManagers } from "#apimachinery/managedfields/view-fields.ts";
import type { ApiObject, GroupVersionKind } from "#apimachinery/meta/api-object.ts";
import { formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { bodyFormat } from "#apimachinery/schema/decode-body.ts";
import { normalizeObject } from "#apimachinery/schema/normalize.ts";
import { assert } from "#base/assert.ts";
import type { UpdateSubresource } from "../../registry/resource.ts";
import { ObjectView } from "../../registry/store/admission-forms.ts";
import { asDraft } from "../../registry/store/store-core.ts";
import type { ApiResponse, ResourceRequest } from "../response.ts";
import { writeRequest } from "../writes/write-request.ts";
import { checkName } from "../writes/written-object.ts";
import { APPLY_TYPE, readApplyBody } from "./apply-body.ts";
import { applyToView } from "./apply-view.ts";
import { decodeBody, type ExpectedKind } from "./body.ts";
import { header } from "./headers.ts";
import { negotiate } from "./negotiation.ts";
import { patchBody, patchType } from "./patch.ts";
import { readEntry } from "./read.ts";
import { valueResponse } from "./representation.ts";
import { hasProtobuf, type ResourceEndpoint, type Target, targetOf } from "./resource-handler.ts";
import { parseWriteOptions, type WriteOptions } from "./write-options.ts";

type View = UpdateSubresource<ApiObject>;

/** GET, PUT and PATCH of a view on the stored object, such as `scale`. */
export async function handleView(endpoint: ResourceEndpoint, view: View, request: ResourceRequest): Promise<ApiResponse> {
  const negotiated = negotiate(header(request, "accept"));
  const expected = viewKind(endpoint, view);
  const target = targetOf(endpoint, request.info);
  let shown: ApiObject;
  if (request.info.verb === "get") shown = view.read((await readEntry(endpoint, request)).object);
  else if (request.info.verb === "update") {
    const format = bodyFormat(header(request, "content-type"));
    const options = parseWriteOptions(request.query, "UpdateOptions", request.userAgent);
    const read = (): ApiObject => decodeBody(request.body, format, expected, options.fieldValidation, request.warnings);
    const body = hasProtobuf(endpoint) ? read() : readCustom(read);
    checkName(body, target);
    shown = await writeView(endpoint, view, request, target, { ...options, uid: body.metadata.uid ?? "" }, () => body);
  } else if (patchType(request) === APPLY_TYPE) {
    const body = readApplyBody(request);
    const apply = (current: ApiObject): ApiObject => {
      const changed = applyToView(endpoint, expected, body, target, current);
      checkName(changed, target);
      return changed;
    };
    shown = await writeView(endpoint, view, request, target, { ...body.options, uid: "", applies: true }, apply);
  } else {
    const { patch, options } = patchBody(request);
    shown = await writeView(endpoint, view, request, target, { ...options, uid: "" }, (current) => {
      const changed = patch.apply(normalizeObject(expected.schema, current), expected, request.warnings);
      checkName(changed, target);
      return changed;
    });
  }
  return valueResponse(normalizeObject(expected.schema, named(shown, view.kind)), negotiated, 200);
}

/** Upstream's decoder of custom resources cannot name the kinds of their views, so that it tells of every failure alike. */
function readCustom(read: () => ApiObject): ApiObject {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 400 || error.message.startsWith("the API version")) throw error;
    throw badRequest('no kind is registered for the type v1.Scale in scheme "pkg/apiserver/customresource_handler.go:781"');
  }
}

function viewKind(endpoint: ResourceEndpoint, view: View): ExpectedKind {
  const { group, version, kind } = view.kind;
  const schema = endpoint.modules.stores.schemaFor(group, version, kind);
  assert(schema !== undefined, `no type ${kind} in ${group}/${version}`);
  return { group, version, kind, schema };
}

function named(object: ApiObject, kind: GroupVersionKind): ApiObject {
  return { ...object, apiVersion: formatGroupVersion(kind.group, kind.version), kind: kind.kind };
}

/** Lets `change` make a new view of the stored object's, and writes that into the object. */
async function writeView(
  endpoint: ResourceEndpoint,
  view: View,
  request: ResourceRequest,
  target: Target,
  options: WriteOptions & { readonly uid: string; readonly applies?: boolean },
  change: (view: ApiObject) => ApiObject,
): Promise<ApiObject> {
  const { core } = endpoint.store;
  const { schema } = viewKind(endpoint, view);
  const shown = new ObjectView(view.kind, schema, (object) => named((view.readForWrite ?? view.read)(object), view.kind));
  const write = writeRequest(endpoint, request, target, options);
  const result = await endpoint.store.updateWith({
    ...write,
    view: shown,
    name: target.name,
    expectedUid: options.uid,
    mayCreate: false,
    transform: async (existing) => {
      const object: ApiObject = deepCopy(existing as ApiObject);
      const current = named((view.readForWrite ?? view.read)(object), view.kind);
      const managedFields = viewManagers(object.metadata.managedFields, view.fields ?? [], current.apiVersion ?? "");
      const before: ApiObject = { ...current, metadata: { ...current.metadata, ...(managedFields && { managedFields }) } };
      const changed = change(before);
      const viewEntries = options.applies
        ? changed.metadata.managedFields
        : trackView(endpoint, view, target, options, before, changed);
      const errors = view.validate?.(changed) ?? [];
      if (errors.length > 0) throw invalid(view.faultsOfObject ? core.groupKind : view.kind, target.name, errors);
      const attributes = shown.attributes(core.attributes("UPDATE", write, target.name, undefined, existing));
      await endpoint.modules.stores.admission.mutate({ ...attributes, object: changed });
      view.write(changed, asDraft(object));
      if (changed.metadata.resourceVersion) object.metadata.resourceVersion = changed.metadata.resourceVersion;
      if (changed.metadata.uid) object.metadata.uid = changed.metadata.uid;
      const { apiVersion } = endpoint.form;
      const isVersion = (version: string): boolean => endpoint.store.forms.some((form) => form.apiVersion === version);
      const entries = parentManagers(
        { entries: existing?.metadata.managedFields, apiVersion, isVersion },
        viewEntries,
        view.fields ?? [],
      );
      if (entries === undefined) delete object.metadata.managedFields;
      else object.metadata.managedFields = entries;
      return object;
    },
  });
  return view.read(result.object);
}

/** Who owns what in the view after an update of it. */
function trackView(
  endpoint: ResourceEndpoint,
  view: View,
  target: Target,
  options: WriteOptions,
  before: ApiObject,
  changed: ApiObject,
): ApiObject["metadata"]["managedFields"] {
  const { schema } = viewKind(endpoint, view);
  const object: ApiObject = normalizeObject(schema, changed, true);
  trackUpdate({
    schema,
    old: normalizeObject(schema, before),
    object,
    manager: options.fieldManager,
    apiVersion: before.apiVersion ?? "",
    subresource: target.subresource,
    now: endpoint.store.core.now(),
  });
  return object.metadata.managedFields;
}
