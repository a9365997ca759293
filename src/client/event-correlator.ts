import type { ObjectReference } from "./event-target.ts";

/** An event before it is written. */
export interface EventDraft {
  readonly reference: ObjectReference;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

/** What to write for a draft. */
export type Correlation =
  | { readonly type: "drop" }
  | { readonly type: "create"; readonly key: string; readonly message: string; readonly annotated: boolean }
  | {
      readonly type: "update";
      readonly key: string;
      readonly message: string;
      readonly name: string;
      readonly count: number;
      readonly firstTimestampMs: number;
    };

interface Bucket {
  tokens: number;
  refilledMs: number;
}
interface Aggregate {
  readonly messages: Set<string>;
  lastMs: number;
}
interface Logged {
  readonly name: string;
  count: number;
  readonly firstTimestampMs: number;
}

/** Keys kept by each of the correlator's memories; upstream's `maxLruCacheEntries`. */
const ENTRIES_MAX = 4096;
/** Events of one source about one object, before further ones wait for the refill. */
const SPAM_BURST = 25;
const SPAM_REFILL_MS = 300_000;
/** Different messages of one reason within the interval, before they are told as one. */
const SIMILAR_MAX = 10;
const SIMILAR_INTERVAL_MS = 600_000;

/** Keeps floods of events small, after client-go's `EventCorrelator`: spam filter, aggregation, counting. One source. */
export class EventCorrelator {
  readonly #buckets = new Map<string, Bucket>();
  readonly #aggregates = new Map<string, Aggregate>();
  readonly #logged = new Map<string, Logged>();

  correlate(draft: EventDraft, nowMs: number): Correlation {
    if (!this.#admit(draft, nowMs)) return { type: "drop" };
    const { key, message, annotated } = this.#aggregate(draft, nowMs);
    const logged = touch(this.#logged, key);
    if (logged === undefined) return { type: "create", key, message, annotated };
    logged.count++;
    return { type: "update", key, message, name: logged.name, count: logged.count, firstTimestampMs: logged.firstTimestampMs };
  }

  /** Remembers under which name the event of a `create` was written. */
  created(key: string, name: string, nowMs: number): void {
    remember(this.#logged, key, { name, count: 1, firstTimestampMs: nowMs });
  }

  /** The event of this key is no longer there. */
  forget(key: string): void {
    this.#logged.delete(key);
  }

  #admit({ reference }: EventDraft, nowMs: number): boolean {
    const key = objectPart(reference);
    const bucket = touch(this.#buckets, key) ?? remember(this.#buckets, key, { tokens: SPAM_BURST, refilledMs: nowMs });
    bucket.tokens = Math.min(SPAM_BURST, bucket.tokens + (nowMs - bucket.refilledMs) / SPAM_REFILL_MS);
    bucket.refilledMs = nowMs;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  #aggregate(draft: EventDraft, nowMs: number): { key: string; message: string; annotated: boolean } {
    const group = JSON.stringify([objectPart(draft.reference), draft.type, draft.reason]);
    let aggregate = touch(this.#aggregates, group);
    if (aggregate === undefined || nowMs - aggregate.lastMs > SIMILAR_INTERVAL_MS) {
      aggregate = remember(this.#aggregates, group, { messages: new Set(), lastMs: nowMs });
    }
    aggregate.messages.add(draft.message);
    aggregate.lastMs = nowMs;
    if (aggregate.messages.size < SIMILAR_MAX) {
      return { key: JSON.stringify([group, draft.message]), message: draft.message, annotated: false };
    }
    for (const oldest of aggregate.messages) {
      aggregate.messages.delete(oldest);
      break;
    }
    return { key: group, message: `(combined from similar events): ${draft.message}`, annotated: true };
  }
}

function objectPart(reference: ObjectReference): string {
  const { kind, namespace = "", name, uid = "", apiVersion, fieldPath = "" } = reference;
  return JSON.stringify([kind, namespace, name, uid, apiVersion, fieldPath]);
}

/** Reads and marks as recently used. */
function touch<V>(memory: Map<string, V>, key: string): V | undefined {
  const value = memory.get(key);
  if (value !== undefined) {
    memory.delete(key);
    memory.set(key, value);
  }
  return value;
}

function remember<V>(memory: Map<string, V>, key: string, value: V): V {
  memory.delete(key);
  memory.set(key, value);
  if (memory.size > ENTRIES_MAX) {
    for (const oldest of memory.keys()) {
      memory.delete(oldest);
      break;
    }
  }
  return value;
}
