import { forbidden, isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import type { DeleteOptions } from "../../registry/resource.ts";
import type { DeleteResult } from "../../registry/store/delete-object.ts";
import type { WriteRequest } from "../../registry/store/store-core.ts";
import type { RequestContext } from "../../request/request-info.ts";
import { type ResourceEndpoint, targetOf } from "../handlers/resource-handler.ts";
import { writeRequest } from "./write-request.ts";

/** Deletes of one collection that are under way at once. */
const PARALLEL_DELETES_MAX = 16;

/** Upstream's `DeleteResource`: the object that the request names. `options` may be changed. */
export function deleteResource(
  endpoint: ResourceEndpoint,
  context: RequestContext,
  options: DeleteOptions,
): Promise<DeleteResult> {
  const { name } = targetOf(endpoint, context.info);
  const { strategy, group, plural } = endpoint.store.definition;
  const refusal = strategy.refuseDelete?.(name);
  if (refusal !== undefined) throw forbidden({ group, resource: plural }, name, refusal);
  return endpoint.store.deleteWith(name, options, deleteRequest(endpoint, context, options));
}

/** Upstream's `DeleteCollection`: `entries`, some at once. Resolves to those that were still there. */
export async function deleteCollection(
  endpoint: ResourceEndpoint,
  context: RequestContext,
  entries: readonly CacheEntry[],
  options: DeleteOptions,
): Promise<CacheEntry[]> {
  const write = deleteRequest(endpoint, context, options);
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

function deleteRequest(endpoint: ResourceEndpoint, context: RequestContext, options: DeleteOptions): WriteRequest {
  const dryRun = (options.dryRun?.length ?? 0) > 0;
  context.warnings.push(...(endpoint.store.definition.strategy.warningsOnDelete?.(options) ?? []));
  return writeRequest(endpoint, context, targetOf(endpoint, context.info), { dryRun, fieldManager: "" });
}
