import { notFound } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { ApiList, ListOptions, ResourceId, WatchEvent, WatchOptions } from "#client/client.ts";
import { DecodingPace } from "../../cacher/decoding-pace.ts";
import { toServedForm } from "../../registry/store/served-form.ts";
import { parseListOptions } from "../handlers/list-options.ts";
import { listEntries } from "../handlers/read.ts";
import { targetOf } from "../handlers/resource-handler.ts";
import { noSuchPath } from "../handlers/route-errors.ts";
import { selectionOf } from "../handlers/selection.ts";
import { watchOrigin } from "../handlers/watch-start.ts";
import type { Call, Caller } from "./caller.ts";
import { infoOf, queryOf } from "./request-info.ts";
import { InProcessWatch } from "./watch.ts";

/** The cache's own object. Throws 404. */
export async function getObject({ endpoint, context }: Call, name: string): Promise<ApiObject> {
  await endpoint.store.core.modules.cache.catchUp();
  const { namespace } = targetOf(endpoint, context.info);
  const entry = endpoint.store.entry(namespace, name);
  if (entry === undefined) throw notFound({ group: context.info.apiGroup, resource: context.info.resource }, name);
  await endpoint.store.core.ready(entry);
  return toServedForm(endpoint.form, entry.object);
}

/** The cache's own objects. */
export async function listObjects({ endpoint }: Call, namespace: string, options: ListOptions): Promise<ApiList<ApiObject>> {
  const parsed = parseListOptions(queryOf(options), false);
  const selection = selectionOf(endpoint, namespace, "", parsed.labelSelector, parsed.fieldSelector);
  const { entries, metadata } = await listEntries(endpoint, selection, parsed);
  const pace = new DecodingPace();
  const items: ApiObject[] = [];
  for (const entry of entries) {
    const pause = pace.before(entry);
    if (pause !== undefined) await pause;
    items.push(toServedForm(endpoint.form, entry.object));
  }
  return { metadata, items };
}

/** Throws at once what is wrong with the call, but what somebody has to be asked about; each reader begins anew. */
export function watchObjects(
  caller: Caller,
  id: ResourceId,
  namespace: string,
  options: WatchOptions,
): AsyncIterable<readonly WatchEvent<ApiObject>[]> {
  const endpoint = caller.endpoint(id);
  if (endpoint === undefined) throw noSuchPath();
  const allowed = caller.authorize(infoOf("watch", id, namespace, "", ""));
  const parsed = parseListOptions(queryOf(options), true);
  const selection = selectionOf(endpoint, namespace, "", parsed.labelSelector, parsed.fieldSelector);
  return {
    [Symbol.asyncIterator]: () => {
      const watch = new InProcessWatch(endpoint, options.signal);
      Promise.resolve(allowed)
        .then(() => watchOrigin(endpoint, selection.filter, parsed))
        .then((origin) => watch.start(selection, parsed, origin))
        .catch((error: unknown) => {
          if (!(error instanceof StatusError)) throw error;
          watch.fail(error.status);
        });
      return watch;
    },
  };
}
