import { OldestFirst } from "#base/oldest-first.ts";
import type { ObjectReference } from "./event-target.ts";

/** An event before it is written. */
export interface EventDraft {
  readonly reference: ObjectReference;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

/** An event as it stands, or is about to stand, on the server. */
export interface LoggedEvent {
  /** Chosen when it happened first. */
  readonly name: string;
  readonly message: string;
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** What came of a draft: nothing, a new event, or one that happened again. */
export type Correlation =
  | { readonly type: "drop" }
  | { readonly type: "create" | "update"; readonly key: string; readonly event: LoggedEvent };

interface Bucket {
  tokens: number;
  refilledMs: number;
}
interface Aggregate {
  /** Different ones, newest last: fewer than {@link SIMILAR_MAX}, and of most reasons one. */
  readonly messages: string[];
  lastMs: number;
}
/** Keys kept by each of the correlator's memories; upstream's `maxLruCacheEntries`. */
const ENTRIES_MAX = 4096;
/** Between parts of a key: in no name, kind or reason; a message, which may be anything, comes last. */
const SEPARATOR = "\0";
/** Events of one source about one object, before further ones wait for the refill. */
const SPAM_BURST = 25;
const SPAM_REFILL_MS = 300_000;
/** Different messages of one reason within the interval, before they are told as one. */
const SIMILAR_MAX = 10;
const SIMILAR_INTERVAL_MS = 600_000;

/** Keeps floods of events small, after client-go's `EventCorrelator`: spam filter, aggregation, counting. One source. */
export class EventCorrelator {
  readonly #buckets = new Memory<Bucket>();
  readonly #aggregates = new Memory<Aggregate>();
  readonly #logged = new Memory<LoggedEvent>();
  readonly #newName: (draft: EventDraft, nowMs: number) => string;

  constructor(newName: (draft: EventDraft, nowMs: number) => string) {
    this.#newName = newName;
  }

  correlate(draft: EventDraft, nowMs: number): Correlation {
    const object = objectPart(draft.reference);
    if (!this.#admit(object, nowMs)) return { type: "drop" };
    const { key, message } = this.#aggregate(draft, object, nowMs);
    const before = this.#logged.touch(key);
    const event: LoggedEvent =
      before === undefined
        ? { name: this.#newName(draft, nowMs), message, count: 1, firstMs: nowMs, lastMs: nowMs }
        : { ...before, message, count: before.count + 1, lastMs: nowMs };
    this.#logged.set(key, event);
    return { type: before === undefined ? "create" : "update", key, event };
  }

  /** The event of this key is not on the server, and its repetition will be a new one. */
  forget(key: string): void {
    this.#logged.delete(key);
  }

  #admit(object: string, nowMs: number): boolean {
    const bucket = this.#buckets.touch(object) ?? this.#buckets.set(object, { tokens: SPAM_BURST, refilledMs: nowMs });
    bucket.tokens = Math.min(SPAM_BURST, bucket.tokens + Math.max(0, nowMs - bucket.refilledMs) / SPAM_REFILL_MS);
    bucket.refilledMs = nowMs;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  #aggregate(draft: EventDraft, object: string, nowMs: number): { key: string; message: string } {
    const group = [object, draft.type, draft.reason].join(SEPARATOR);
    let aggregate = this.#aggregates.touch(group);
    if (aggregate === undefined || nowMs - aggregate.lastMs > SIMILAR_INTERVAL_MS) {
      aggregate = this.#aggregates.set(group, { messages: [], lastMs: nowMs });
    }
    const { messages } = aggregate;
    if (!messages.includes(draft.message)) messages.push(draft.message);
    aggregate.lastMs = nowMs;
    if (messages.length < SIMILAR_MAX) {
      return { key: `${group}${SEPARATOR}${draft.message}`, message: draft.message };
    }
    messages.shift();
    return { key: group, message: `(combined from similar events): ${draft.message}` };
  }
}

function objectPart(reference: ObjectReference): string {
  const { kind, namespace = "", name, uid = "", apiVersion, fieldPath = "" } = reference;
  return [kind, namespace, name, uid, apiVersion, fieldPath].join(SEPARATOR);
}

/** What was used last, {@link ENTRIES_MAX} of it. */
class Memory<V> {
  readonly #entries = new Map<string, V>();
  readonly #unused = new OldestFirst(this.#entries);

  /** Reads and marks as recently used. */
  touch(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }

  set(key: string, value: V): V {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    const unused = this.#entries.size > ENTRIES_MAX ? this.#unused.next() : undefined;
    if (unused !== undefined) this.#entries.delete(unused);
    return value;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
