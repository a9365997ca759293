import { badRequest, methodNotSupported, unsupportedMediaType } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import { bodyFormat } from "#apimachinery/schema/decode-body.ts";
import { normalizeObject } from "#apimachinery/schema/normalize.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { assert } from "#base/assert.ts";
import type { VirtualResource } from "../../registry/resource.ts";
import { DEFAULT_COLUMNS, partialMetadata, table, tableRow } from "../../table/table.ts";
import type { ApiResponse, ResourceRequest } from "../response.ts";
import { checkName } from "../writes/written-object.ts";
import { APPLY_TYPE } from "./apply-body.ts";
import { decodeBody, type ExpectedKind } from "./body.ts";
import { parseDeleteOptions } from "./delete-options.ts";
import { header } from "./headers.ts";
import { parseListOptions } from "./list-options.ts";
import { type Negotiated, negotiate, negotiateWithoutTables } from "./negotiation.ts";
import { patchBody, patchType } from "./patch.ts";
import { includeObject, valueResponse } from "./representation.ts";
import type { HandlerModules } from "./resource-handler.ts";
import { methodNotAllowed, noSuchPath } from "./route-errors.ts";
import { parseWriteOptions } from "./write-options.ts";

/** Fields of what is not stored have no managers. */
const NO_APPLY = `the body of the request was in an unknown format - accepted media types include: ${[
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
].join(", ")}`;

/** Requests for a resource without storage. */
export async function handleVirtual(
  resource: VirtualResource,
  modules: HandlerModules,
  request: ResourceRequest,
): Promise<ApiResponse> {
  const name = request.info.parts[1] ?? "";
  const { verb } = request.info;
  if (name !== "" && resource.get === undefined) throw noSuchPath();
  const kind = kindOf(resource, modules);
  if (verb === "create" && name === "" && resource.create !== undefined) {
    const negotiated = negotiateWithoutTables(header(request, "accept"));
    const format = bodyFormat(header(request, "content-type"));
    const options = parseWriteOptions(request.query, "CreateOptions", request.userAgent);
    const body = decodeBody(request.body, format, kind, options.fieldValidation, request.warnings);
    const answer = await resource.create(body, request, options.dryRun);
    return valueResponse(answer.status === "Success" ? answer : normalizeObject(kind.schema, answer), negotiated, 201);
  }
  if (request.method === "GET" && name !== "" && resource.get !== undefined) {
    const negotiated = negotiate(header(request, "accept"));
    const object = await resource.get(name, request);
    return shown(resource, modules, [object], negotiated, request, false, kind);
  }
  if (request.method === "GET" && name === "" && resource.list !== undefined) {
    const negotiated = negotiate(header(request, "accept"));
    const { group, plural } = resource;
    if (verb === "watch") throw methodNotSupported({ group, resource: plural }, "watch");
    const objects = (await resource.list(request)).filter(selected(request.query));
    return shown(resource, modules, objects, negotiated, request, true, kind);
  }
  if (request.method === "PUT" && name !== "" && resource.update !== undefined) {
    const negotiated = negotiateWithoutTables(header(request, "accept"));
    const format = bodyFormat(header(request, "content-type"));
    const options = parseWriteOptions(request.query, "UpdateOptions", request.userAgent);
    const body = decodeBody(request.body, format, kind, options.fieldValidation, request.warnings);
    checkName(body, { name, namespace: resource.scope === "Namespaced" ? request.info.namespace : "", subresource: "" });
    const answer = await resource.update(name, body, request, options.dryRun);
    return valueResponse(normalizeObject(kind.schema, answer), negotiated, 200);
  }
  if (request.method === "PATCH" && name !== "" && resource.get !== undefined && resource.update !== undefined) {
    if (patchType(request) === APPLY_TYPE) throw unsupportedMediaType(NO_APPLY);
    const negotiated = negotiateWithoutTables(header(request, "accept"));
    const { patch, options } = patchBody(request);
    const current = normalizeObject(kind.schema, await resource.get(name, request));
    const changed = patch.apply(current, kind, request.warnings);
    checkName(changed, { name, namespace: resource.scope === "Namespaced" ? request.info.namespace : "", subresource: "" });
    const answer = await resource.update(name, changed, request, options.dryRun);
    return valueResponse(normalizeObject(kind.schema, answer), negotiated, 200);
  }
  if (request.method === "DELETE" && name !== "" && resource.delete !== undefined) {
    const negotiated = negotiateWithoutTables(header(request, "accept"));
    const options = parseDeleteOptions(request.body, header(request, "content-type"), request.query);
    return valueResponse(await resource.delete(name, options, request), negotiated, 200);
  }
  throw methodNotAllowed();
}

/** Whether the selectors of a list take an object. Throws 400 for fields other than those of metadata. */
function selected(query: URLSearchParams): (object: ApiObject) => boolean {
  const { labelSelector, fieldSelector } = parseListOptions(query, false);
  const fields = fieldSelector.requirements.map(({ field, operator, value }) => {
    if (field === "metadata.name" || field === "metadata.namespace") {
      const key = field === "metadata.name" ? "name" : "namespace";
      return ({ metadata }: ApiObject): boolean => ((metadata[key] ?? "") === value) === (operator === "=");
    }
    throw badRequest(`${goQuote(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`);
  });
  return (object) => labelSelector.matches(object.metadata.labels) && fields.every((matches) => matches(object));
}

function shown(
  resource: VirtualResource,
  modules: HandlerModules,
  objects: readonly ApiObject[],
  negotiated: Negotiated,
  request: ResourceRequest,
  list: boolean,
  kind: ExpectedKind,
): ApiResponse {
  const { transform } = negotiated;
  if (transform?.kind === "Table") {
    const columns = resource.columns ?? DEFAULT_COLUMNS;
    const include = includeObject(request.query);
    const now = modules.stores.modules.clock.now();
    const rows = objects.map((object) => tableRow(columns, object, object, include, transform.version, now));
    return valueResponse(table(columns, {}, rows, transform.version), negotiated, 200);
  }
  const apiVersion = formatGroupVersion(resource.group, resource.version);
  const items = objects.map((object) =>
    transform === undefined ? normalizeObject(kind.schema, object) : partialMetadata(object, transform.version),
  );
  if (!list) return valueResponse(items[0], negotiated, 200);
  const listKind = transform === undefined ? `${resource.kind}List` : transform.kind;
  const version = transform === undefined ? apiVersion : `meta.k8s.io/${transform.version}`;
  return valueResponse({ kind: listKind, apiVersion: version, metadata: {}, items }, negotiated, 200);
}

function kindOf(resource: VirtualResource, modules: HandlerModules): ExpectedKind {
  const { group, version, kind } = resource;
  const schema = modules.stores.schemaFor(group, version, kind);
  assert(schema !== undefined, `no type ${kind} in ${group}/${version}`);
  return { group, version, kind, schema };
}
