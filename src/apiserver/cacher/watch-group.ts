import type { Status } from "#apimachinery/api-errors/status.ts";
import type { CacheEntry } from "./cache-entry.ts";
import type { CacheEvent } from "./event-history.ts";

/** Something that objects have one value of, such as a field that watches select them by. Equal `id`s mean equal attributes. */
export interface Attribute {
  readonly id: string;
  /** The value. Pure. */
  of(entry: CacheEntry): string;
}

/**
 * What all objects that a filter lets through have in common, beside namespace and name: an attribute's value, or one of some
 * values of a label. Says where to look for the filter when an object changes; the filter itself is asked all the same.
 */
export type FilterMark =
  | { readonly attribute: Attribute; readonly value: string }
  | { readonly label: string; readonly values: readonly string[] };

/** Which objects a watch or list is about. Equal `id`s mean equal filters. */
export interface ObjectFilter {
  /** Empty for all namespaces. */
  readonly namespace: string;
  /** Empty for all names. */
  readonly name: string;
  /** The selectors; absent when everything matches. Pure. */
  readonly matches?: (entry: CacheEntry) => boolean;
  /** Part of what `matches` asks, by which the filter can be found. */
  readonly mark?: FilterMark;
  readonly id: string;
}

/** A change as one filter sees it: objects that begin to match are added, those that cease to match are deleted. */
export interface FilteredEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly entry: CacheEntry;
}

/** Receives batches in order, each at most once, with the revision that they bring it to. Must not throw. */
export interface WatchConsumer {
  onEvents(events: readonly FilteredEvent[], revision: number): void;
  /** The cache can no longer deliver (it was loaded anew, or the server stops): the client is to list again. `why` is for it to see. */
  onEnd(why?: Status): void;
}

/** Whether the filter lets the object through. */
export function filterMatches(filter: ObjectFilter, entry: CacheEntry): boolean {
  if (filter.namespace !== "" && filter.namespace !== entry.namespace) return false;
  if (filter.name !== "" && filter.name !== entry.name) return false;
  return filter.matches === undefined || filter.matches(entry);
}

/** The event as the filter sees it; undefined when it does not concern it. */
export function filterEvent(filter: ObjectFilter, event: CacheEvent): FilteredEvent | undefined {
  const { entry } = event;
  if (filter.namespace !== "" && filter.namespace !== entry.namespace) return undefined;
  if (filter.name !== "" && filter.name !== entry.name) return undefined;
  const matches = filter.matches;
  if (matches === undefined) return event;
  const before = event.previous !== undefined && matches(event.previous);
  const after = event.type !== "DELETED" && matches(entry);
  if (after)
    return before
      ? event.type === "MODIFIED"
        ? event
        : { type: "MODIFIED", entry }
      : event.type === "ADDED"
        ? event
        : { type: "ADDED", entry };
  if (!before) return undefined;
  if (event.type === "DELETED") return event;
  // The object as the watcher last knew it, at the revision of the change.
  return { type: "DELETED", entry: (event.previous as CacheEntry).deletedAt(event.revision) };
}

/** All watches with one filter: the filter is asked once per event, and they share what they make of a batch. */
export class WatchGroup {
  readonly filter: ObjectFilter;
  readonly consumers: Set<WatchConsumer> = new Set();

  constructor(filter: ObjectFilter) {
    this.filter = filter;
  }

  deliver(events: readonly CacheEvent[], revision: number): void {
    let filtered: readonly FilteredEvent[] = events;
    if (this.filter.id !== "") {
      const list: FilteredEvent[] = [];
      for (const event of events) {
        const seen = filterEvent(this.filter, event);
        if (seen !== undefined) list.push(seen);
      }
      if (list.length === 0) return;
      filtered = list;
    }
    for (const consumer of [...this.consumers]) consumer.onEvents(filtered, revision);
  }
}
