import { expired } from "#apimachinery/api-errors/errors.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import type { CacheEntry } from "../../cacher/cache-entry.ts";
import type { ResourceCache } from "../../cacher/resource-cache.ts";
import { VersionCache, type VersionEvent } from "../../cacher/version-cache.ts";
import { type FilteredEvent, filterMatches, type ObjectFilter, type WatchConsumer } from "../../cacher/watch-group.ts";
import type { ParsedListOptions } from "./list-options.ts";
import { checkNotFuture, namesOne, parseVersion } from "./read.ts";
import type { ResourceEndpoint } from "./resource-handler.ts";
import { inPlace, SelectedState } from "./selected-state.ts";

/** What a watch begins with, as of {@link WatchStart.revision}; every later change follows. */
export interface WatchStart {
  readonly events: readonly FilteredEvent[];
  readonly revision: number;
  /** A bookmark marks the end of `events`. */
  readonly endBookmark: boolean;
  /** Changes up to this revision are known to the client although they have not happened here yet. */
  readonly skipUntil: number;
}

/** Where a watch begins. */
export interface WatchOrigin {
  readonly version: bigint;
  /** What a selector lets through, where that is what it begins with. */
  readonly state: SelectedState | undefined;
}

/** Checks the resourceVersion of a watch, which can begin then. Throws 500 and 504. */
export async function watchOrigin(
  endpoint: ResourceEndpoint,
  filter: ObjectFilter,
  options: ParsedListOptions,
): Promise<WatchOrigin> {
  const text = options.resourceVersion;
  const version = text === "" ? 0n : parseVersion(text, plainError);
  if (options.sendInitialEvents) await checkNotFuture(endpoint, version);
  if (text === "") await endpoint.store.core.modules.cache.catchUp();
  if (!beginsWithState(options, version) || namesOne(endpoint, filter)) return { version, state: undefined };
  const { cache } = endpoint.store.core;
  const finding = cache.findable(filter.mark);
  if (finding !== undefined) await finding;
  // What a selector says of an object of which there are versions is known when that is converted.
  const isSelective = filter.matches !== undefined && !(cache instanceof VersionCache);
  return { version, state: isSelective ? await SelectedState.of(cache, filter) : undefined };
}

/**
 * Begins a watch: `onStart` is given what it begins with and the way out, and what changes from then on goes to the consumer.
 * At once, or after what comes first is converted. Throws 410 when changes since the given revision are forgotten.
 */
export function beginWatch(
  endpoint: ResourceEndpoint,
  filter: ObjectFilter,
  options: ParsedListOptions,
  origin: WatchOrigin,
  consumer: WatchConsumer,
  onStart: (start: WatchStart, leave: () => void) => void,
): void {
  const { cache } = endpoint.store.core;
  if (!(cache instanceof VersionCache)) {
    const start = watchStart(endpoint, cache, filter, options, origin);
    onStart(start, cache.watch(filter, consumer));
    return;
  }
  // What a selector says of an object is known when that is converted.
  const { matches, ...place } = filter;
  const start = watchStart(endpoint, cache.stored, matches === undefined ? filter : place, options, origin);
  const first: readonly VersionEvent[] = start.events;
  cache.join(filter, consumer, first, (events, leave) => onStart({ ...start, events }, leave));
}

/** Whether what there is comes before what changes. */
function beginsWithState(options: ParsedListOptions, version: bigint): boolean {
  return options.sendInitialEvents ?? version === 0n;
}

/** The first events of a watch. Throws 410 when changes since the given revision are forgotten. Never waits. */
function watchStart(
  endpoint: ResourceEndpoint,
  cache: ResourceCache,
  filter: ObjectFilter,
  options: ParsedListOptions,
  { version, state }: WatchOrigin,
): WatchStart {
  const { revision } = endpoint.store.core.modules.cache;
  const endBookmark = options.sendInitialEvents === true && options.allowWatchBookmarks;
  if (beginsWithState(options, version)) {
    const entries = state?.now() ?? present(endpoint, cache, filter).filter((entry) => filterMatches(filter, entry));
    return { events: entries.map((entry) => ({ type: "ADDED", entry })), revision, endBookmark, skipUntil: revision };
  }
  if (version === 0n) return { events: [], revision, endBookmark: false, skipUntil: revision };
  if (version > BigInt(revision)) return { events: [], revision, endBookmark: false, skipUntil: Number(version) };
  const events = cache.eventsSince(Number(version), filter);
  if (events === undefined) throw expired(`too old resource version: ${version} (${cache.baseRevision})`);
  return { events, revision, endBookmark: false, skipUntil: revision };
}

/** The entries that the filter may let through. */
function present(endpoint: ResourceEndpoint, cache: ResourceCache, filter: ObjectFilter): readonly CacheEntry[] {
  if (!namesOne(endpoint, filter)) return inPlace(cache, filter, cache.tree);
  const entry = cache.get(filter.namespace, filter.name);
  return entry === undefined ? [] : [entry];
}
