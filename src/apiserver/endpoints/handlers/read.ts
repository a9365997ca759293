import { badRequest, expired, notFound, timeout } from "#apimachinery/api-errors/errors.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { StorageError } from "#storage/kv.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import { DecodingPace } from "../../cacher/decoding-pace.ts";
import { filterMatches, type ObjectFilter } from "../../cacher/watch-group.ts";
import type { RequestContext } from "../../request/request-info.ts";
import type { ApiResponse } from "../response.ts";
import { type Continuation, decodeContinue, encodeContinue } from "./continue-token.ts";
import { type ParsedListOptions, parseListOptions } from "./list-options.ts";
import { type Negotiated, negotiate } from "./negotiation.ts";
import { entryResponse, type ListMeta, listResponse } from "./representation.ts";
import { hasProtobuf, type ResourceEndpoint, targetOf } from "./resource-handler.ts";
import { type Selection, selectionOf } from "./selection.ts";

const TOO_LARGE = "Too large resource version";
const LIST_TOO_OLD = "The resourceVersion for the provided list is too old.";
const CONTINUE_TOO_OLD =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

/** GET of one object. */
export async function handleGet(endpoint: ResourceEndpoint, context: RequestContext, accept: string): Promise<ApiResponse> {
  const negotiated = negotiate(accept, hasProtobuf(endpoint));
  const entry = await readEntry(endpoint, context);
  return entryResponse(endpoint, negotiated, context.query, entry);
}

/** The object that the path names, recent enough. Throws 404, 500 or 504. */
export async function readEntry(endpoint: ResourceEndpoint, context: RequestContext): Promise<CacheEntry> {
  const { namespace, name } = targetOf(endpoint, context.info);
  const { cache } = endpoint.store.core.modules;
  const version = context.query.get("resourceVersion") ?? "";
  if (version === "") await cache.catchUp();
  else await checkNotFuture(endpoint, parseVersion(version, plainError));
  const entry = endpoint.store.entry(namespace, name);
  if (entry === undefined) throw notFound(endpoint.store.core.resourceOf(endpoint), name);
  const converting = endpoint.store.core.ready(entry);
  if (converting !== undefined) await converting;
  return entry;
}

/** GET of a collection. */
export async function handleList(endpoint: ResourceEndpoint, context: RequestContext, accept: string): Promise<ApiResponse> {
  const negotiated: Negotiated = negotiate(accept, hasProtobuf(endpoint));
  const { namespace, name } = targetOf(endpoint, context.info);
  const options = parseListOptions(context.query, false);
  const selection = selectionOf(endpoint, namespace, name, options.labelSelector, options.fieldSelector);
  const { entries, metadata } = await listEntries(endpoint, selection, options);
  return listResponse(endpoint, negotiated, context.query, entries, metadata);
}

/** What a list found. */
export interface ListResult {
  readonly entries: readonly CacheEntry[];
  readonly metadata: ListMeta;
}

/** Upstream's `GetList`: which revision, which chunk, which objects. */
export async function listEntries(
  endpoint: ResourceEndpoint,
  selection: Selection,
  options: ParsedListOptions,
): Promise<ListResult> {
  const { cache } = endpoint.store.core;
  const { filter } = selection;
  const prefix = filter.namespace === "" ? cache.prefix : `${cache.prefix}${filter.namespace}/`;
  const chunk = readChunk(options, prefix);
  if (chunk.version > 0n) await checkNotFuture(endpoint, chunk.version);
  else await caughtUp(endpoint, options.resourceVersion);
  const isOne = namesOne(endpoint, filter);
  const finding = isOne || chunk.exact !== undefined ? undefined : cache.findable(filter.mark);
  if (finding !== undefined) await finding;
  const current = endpoint.store.core.modules.cache.revision;
  const exact = chunk.exact === undefined || chunk.exact >= current ? undefined : chunk.exact;
  const revision = exact ?? current;
  if (isOne && exact === undefined) {
    const entry = cache.get(filter.namespace, filter.name);
    await endpoint.store.core.ready(entry);
    const found = entry !== undefined && filterMatches(filter, entry) ? [entry] : [];
    return { entries: found, metadata: { resourceVersion: String(revision) } };
  }
  const tree = exact === undefined ? (cache.treeOf(filter.mark) ?? cache.tree) : cache.treeAt(exact);
  const startKey = chunk.start?.startKey ?? prefix;
  const all =
    tree === undefined
      ? await olderEntries(endpoint, prefix, startKey, revision, chunk.start)
      : cache.range(tree, prefix, startKey, filter.id === "" || !needsFilter(filter) ? limitOf(chunk.limit) : undefined);
  if (needsFilter(filter)) await cache.ready(all);
  const result = await cut(selection, all, chunk.limit, prefix, revision, (after) =>
    tree === undefined ? all.length - all.findIndex((entry) => entry.key > after) : cache.count(tree, prefix, `${after}\u0000`),
  );
  await cache.ready(result.entries);
  return result;
}

/** Whether the filter is for one object by its name, which needs no walk: as kubelets ask for their Node. */
export function namesOne(endpoint: ResourceEndpoint, { namespace, name }: ObjectFilter): boolean {
  return name !== "" && (namespace !== "" || !endpoint.store.core.namespaced);
}

/**
 * Who asks for any state, by `0`, gets the newest, too: a controller that begins must not do again what the one before it did. But where the
 * store does not answer, what is known is enough for him, as upstream.
 */
async function caughtUp(endpoint: ResourceEndpoint, resourceVersion: string): Promise<void> {
  try {
    await endpoint.store.core.modules.cache.catchUp();
  } catch (error) {
    if (resourceVersion !== "0" || !(error instanceof StorageError) || error.code !== "Unavailable") throw error;
  }
}

function limitOf(limit: number): number | undefined {
  return limit === 0 ? undefined : limit + 1;
}

function needsFilter(filter: Selection["filter"]): boolean {
  return filter.name !== "" || filter.matches !== undefined;
}

interface Chunk {
  /** What the client gave; 0 for none. */
  readonly version: bigint;
  /** Read exactly this revision. */
  readonly exact: number | undefined;
  readonly start: Continuation | undefined;
  readonly limit: number;
}

function readChunk(options: ParsedListOptions, prefix: string): Chunk {
  const { resourceVersion, resourceVersionMatch: match } = options;
  // Any state will do for "0": upstream answers from its cache, which knows no chunks then.
  const limit = resourceVersion === "0" ? 0 : options.limit;
  if (options.continue !== "") {
    const start = decodeContinue(options.continue, prefix);
    if (resourceVersion !== "" && resourceVersion !== "0") {
      throw badRequest("specifying resource version is not allowed when using continue");
    }
    return { version: 0n, exact: start.revision > 0 ? start.revision : undefined, start, limit };
  }
  if (resourceVersion === "") return { version: 0n, exact: undefined, start: undefined, limit };
  const version = parseVersion(resourceVersion, (text) => badRequest(`invalid resource version: ${text}`));
  const exact = match === "Exact" || (match === "" && limit > 0 && version > 0n) ? Number(version) : undefined;
  return { version, exact, start: undefined, limit };
}

async function cut(
  { filter, selective }: Selection,
  all: readonly CacheEntry[],
  limit: number,
  prefix: string,
  revision: number,
  countAfter: (key: string) => number,
): Promise<ListResult> {
  const whole: CacheEntry[] = [];
  const pace = new DecodingPace();
  for (const entry of all) {
    // As upstream: one more object of any kind means that there may be more.
    if (limit > 0 && whole.length === limit) {
      const last = whole[limit - 1] as CacheEntry;
      const metadata: ListMeta = {
        resourceVersion: String(revision),
        continue: encodeContinue(prefix, last.key, revision),
        ...(selective ? {} : { remainingItemCount: countAfter(last.key) }),
      };
      return { entries: whole, metadata };
    }
    const pause = filter.matches === undefined ? undefined : pace.before(entry);
    if (pause !== undefined) await pause;
    if (needsFilter(filter) && !filterMatches(filter, entry)) continue;
    whole.push(entry);
  }
  return { entries: whole, metadata: { resourceVersion: String(revision) } };
}

/** Reads a revision that the cache has forgotten from the store. Throws 410 where that has forgotten it too. */
async function olderEntries(
  endpoint: ResourceEndpoint,
  prefix: string,
  startKey: string,
  revision: number,
  start: Continuation | undefined,
): Promise<CacheEntry[]> {
  const { core } = endpoint.store;
  try {
    const { kvs } = await core.modules.kv.list(prefix, { revision, startKey });
    return kvs.map((kv) => core.cache.entryOf(kv.key, kv.modRevision, kv.value));
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== "Compacted") throw error;
    if (start === undefined) throw expired(LIST_TOO_OLD);
    const { status } = expired(CONTINUE_TOO_OLD);
    const token = encodeContinue(prefix, start.startKey.endsWith("\0") ? start.startKey.slice(0, -1) : start.startKey, -1);
    throw new StatusError({ ...status, metadata: { continue: token } });
  }
}

/** A resourceVersion of a request. */
export function parseVersion(text: string, failure: (message: string) => Error): bigint {
  const bad = (reason: string): Error =>
    failure(`resourceVersion: Invalid value: ${goQuote(text)}: strconv.ParseUint: parsing ${goQuote(text)}: ${reason}`);
  if (!/^[0-9]+$/.test(text)) throw bad("invalid syntax");
  const version = BigInt(text);
  if (version > 0xffffffffffffffffn) throw bad("value out of range");
  return version;
}

/** Refuses revisions that do not exist yet: 504 with the cause that clients look for. */
export async function checkNotFuture(endpoint: ResourceEndpoint, version: bigint): Promise<void> {
  if (version > BigInt(endpoint.store.core.modules.cache.revision)) await endpoint.store.core.modules.cache.catchUp();
  const current = endpoint.store.core.modules.cache.revision;
  if (version <= BigInt(current)) return;
  const { status } = timeout(`Timeout: ${TOO_LARGE}: ${version}, current: ${current}`, 1);
  const causes = [{ reason: "ResourceVersionTooLarge", message: TOO_LARGE }];
  throw new StatusError({
    ...status,
    message: `Timeout: ${TOO_LARGE}: ${version}, current: ${current}`,
    details: { ...status.details, causes },
  });
}
