import type { Status } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { FilteredEvent } from "../../cacher/watch-group.ts";

/** Turns events into what one watch sends. */
export interface EventEncoder {
  /** A batch; undefined when an event cannot be shown as the client asked, which ends the watch. */
  encode(events: readonly FilteredEvent[]): Uint8Array | undefined;
  /** As {@link encode}, for what a watch begins with, which no other watch sends in the same turn. */
  encodeFirst(events: readonly FilteredEvent[]): Uint8Array | undefined;
  /** As {@link encode}. */
  bookmark(revision: number, initialEventsEnd: boolean): Uint8Array | undefined;
  /** Why the watch ends. */
  failure(status: Status): Uint8Array;
}

/** `metadata` of a bookmark. */
export function bookmarkMeta(revision: number, initialEventsEnd: boolean): ApiObject["metadata"] {
  const resourceVersion = String(revision);
  return initialEventsEnd ? { resourceVersion, annotations: { "k8s.io/initial-events-end": "true" } } : { resourceVersion };
}

/**
 * What was encoded in this turn, for each form. Watches of one filter get the very same array of events one after the other,
 * so that what the first of them encodes is what all others send. Nothing is kept longer: events live on in the history.
 */
const encodedBatches = new Map<readonly FilteredEvent[], Map<string, Uint8Array>>();
/** The line of one event, for watches of different filters. */
const encodedEvents = new Map<FilteredEvent, Map<string, Uint8Array>>();
let forgetting = false;

function forgetAfterTurn(): void {
  if (forgetting) return;
  forgetting = true;
  queueMicrotask(() => {
    forgetting = false;
    encodedBatches.clear();
    encodedEvents.clear();
  });
}

/** A batch in a form: the encodings of its events, one after the other. */
export function encodedBatch(
  events: readonly FilteredEvent[],
  form: string,
  encode: (event: FilteredEvent) => Uint8Array,
): Uint8Array {
  const [only] = events;
  if (events.length === 1 && only !== undefined) return encode(only);
  return shared(encodedBatches, events, form, () => Buffer.concat(events.map(encode)));
}

/** One event in a form. */
export function encodedEvent(event: FilteredEvent, form: string, encode: () => Uint8Array): Uint8Array {
  return shared(encodedEvents, event, form, encode);
}

function shared<K extends object>(
  cache: Map<K, Map<string, Uint8Array>>,
  key: K,
  form: string,
  encode: () => Uint8Array,
): Uint8Array {
  let forms = cache.get(key);
  if (forms === undefined) {
    forms = new Map();
    cache.set(key, forms);
    forgetAfterTurn();
  }
  let bytes = forms.get(form);
  if (bytes === undefined) {
    bytes = encode();
    forms.set(form, bytes);
  }
  return bytes;
}
