import type { Status } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { ApiResponse, ResourceRequest } from "../response.ts";
import { deleteCollection, deleteResource } from "../writes/delete-resource.ts";
import { parseDeleteOptions } from "./delete-options.ts";
import { header } from "./headers.ts";
import { parseListOptions } from "./list-options.ts";
import { negotiate } from "./negotiation.ts";
import { listEntries } from "./read.ts";
import { listResponse, valueResponse, writtenResponse } from "./representation.ts";
import { hasProtobuf, type ResourceEndpoint, targetOf } from "./resource-handler.ts";
import { selectionOf } from "./selection.ts";

/** DELETE of one object. */
export async function handleDelete(endpoint: ResourceEndpoint, request: ResourceRequest): Promise<ApiResponse> {
  const negotiated = negotiate(header(request, "accept"), hasProtobuf(endpoint));
  const options = parseDeleteOptions(request.body, header(request, "content-type"), request.query);
  const { answer, entry, gone } = await deleteResource(endpoint, request, options);
  const code = !gone && options.orphanDependents === false ? 202 : 200;
  if (isStatus(answer)) return valueResponse(answer, { ...negotiated, transform: undefined }, code);
  return writtenResponse(endpoint, negotiated, request.query, { entry, object: answer }, code);
}

/** DELETE of a collection: what matches the selectors, answered with the list of it. */
export async function handleDeleteCollection(endpoint: ResourceEndpoint, request: ResourceRequest): Promise<ApiResponse> {
  const negotiated = negotiate(header(request, "accept"), hasProtobuf(endpoint));
  const { namespace } = targetOf(endpoint, request.info);
  const listOptions = parseListOptions(request.query, false);
  const selection = selectionOf(endpoint, namespace, "", listOptions.labelSelector, listOptions.fieldSelector);
  const options = parseDeleteOptions(request.body, header(request, "content-type"), request.query);
  const { entries, metadata } = await listEntries(endpoint, selection, listOptions);
  const kept = await deleteCollection(endpoint, request, entries, options);
  return listResponse(endpoint, negotiated, request.query, kept, metadata);
}

function isStatus(answer: ApiObject | Status): answer is Status {
  return answer.kind === "Status" && answer.apiVersion === "v1";
}
