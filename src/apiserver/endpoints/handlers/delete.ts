import { forbidden, isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { Status } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import type { DeleteOptions } from "../../registry/resource.ts";
import type { WriteRequest } from "../../registry/store/store-core.ts";
import type { ApiResponse, ResourceRequest } from "../response.ts";
import { parseDeleteOptions } from "./delete-options.ts";
import { header } from "./headers.ts";
import { parseListOptions } from "./list-options.ts";
import { negotiate } from "./negotiation.ts";
import { listEntries } from "./read.ts";
import { entryResponse, listResponse, objectResponse, valueResponse } from "./representation.ts";
import { hasProtobuf, type ResourceEndpoint, targetOf } from "./resource-handler.ts";
import { selectionOf } from "./selection.ts";
import { writeRequest } from "./write.ts";

/** Deletes of one collection that are under way at once. */
const PARALLEL_DELETES_MAX = 16;

/** DELETE of one object. */
export async function handleDelete(endpoint: ResourceEndpoint, request: ResourceRequest): Promise<ApiResponse> {
  const negotiated = negotiate(header(request, "accept"), hasProtobuf(endpoint));
  const options = parseDeleteOptions(request.body, header(request, "content-type"), request.query);
  const target = targetOf(endpoint, request.info);
  const { strategy, group, plural } = endpoint.store.definition;
  const refusal = strategy.refuseDelete?.(target.name);
  if (refusal !== undefined) throw forbidden({ group, resource: plural }, target.name, refusal);
  const write = deleteRequest(endpoint, request, options);
  const { answer, entry, gone } = await endpoint.store.deleteWith(target.name, options, write);
  const code = !gone && options.orphanDependents === false ? 202 : 200;
  if (isStatus(answer)) return valueResponse(answer, { ...negotiated, transform: undefined }, code);
  return entry === undefined
    ? objectResponse(endpoint, negotiated, request.query, answer, code)
    : entryResponse(endpoint, negotiated, request.query, entry, code);
}

/** DELETE of a collection: what matches the selectors, answered with the list of it. */
export async function handleDeleteCollection(endpoint: ResourceEndpoint, request: ResourceRequest): Promise<ApiResponse> {
  const negotiated = negotiate(header(request, "accept"), hasProtobuf(endpoint));
  const { namespace } = targetOf(endpoint, request.info);
  const listOptions = parseListOptions(request.query, false);
  const selection = selectionOf(endpoint, namespace, "", listOptions.labelSelector, listOptions.fieldSelector);
  const options = parseDeleteOptions(request.body, header(request, "content-type"), request.query);
  const { entries, metadata } = await listEntries(endpoint, selection, listOptions);
  const kept = await deleteEntries(endpoint, entries, options, deleteRequest(endpoint, request, options));
  return listResponse(endpoint, negotiated, request.query, kept, metadata);
}

/** Deletes the objects, some at once; returns those that were still there. */
export async function deleteEntries(
  endpoint: ResourceEndpoint,
  entries: readonly CacheEntry[],
  options: DeleteOptions,
  write: WriteRequest,
): Promise<CacheEntry[]> {
  const todo = [...entries];
  const deleted = new Set<CacheEntry>();
  const work = async (): Promise<void> => {
    for (let entry = todo.shift(); entry !== undefined; entry = todo.shift()) {
      if (await deleteOne(endpoint, entry, options, { ...write, namespace: entry.namespace, ofCollection: true }))
        deleted.add(entry);
    }
  };
  const { deleteCollectionWorkers: workers = PARALLEL_DELETES_MAX } = endpoint.store.core.modules;
  await Promise.all(Array.from({ length: Math.min(workers, todo.length) }, work));
  return entries.filter((entry) => deleted.has(entry));
}

/** False for an object that somebody else deleted first. */
async function deleteOne(
  endpoint: ResourceEndpoint,
  entry: CacheEntry,
  options: DeleteOptions,
  write: WriteRequest,
): Promise<boolean> {
  try {
    await endpoint.store.deleteWith(entry.name, { ...options }, write);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

function deleteRequest(endpoint: ResourceEndpoint, request: ResourceRequest, options: DeleteOptions): WriteRequest {
  const dryRun = (options.dryRun?.length ?? 0) > 0;
  request.warnings.push(...(endpoint.store.definition.strategy.warningsOnDelete?.(options) ?? []));
  return writeRequest(endpoint, request, targetOf(endpoint, request.info), { dryRun, fieldManager: "" });
}

function isStatus(answer: ApiObject | Status): answer is Status {
  return answer.kind === "Status" && answer.apiVersion === "v1";
}
