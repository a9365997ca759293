import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { FilteredEvent } from "../../cacher/watch-group.ts";
import { encodedInForm, toServedForm } from "../../registry/store/served-form.ts";
import { versionedBytes } from "../../serializer.ts";
import { type IncludeObject, partialMetadata, table, tableRow } from "../../table/table.ts";
import type { Transform } from "./negotiation.ts";
import { columnsOf } from "./representation.ts";
import type { ResourceEndpoint } from "./resource-handler.ts";

/** Turns events into the lines of one watch. */
export interface EventEncoder {
  /** The lines of a batch; undefined when an event cannot be shown as the client asked, which ends the watch. */
  encode(events: readonly FilteredEvent[]): Uint8Array | undefined;
  /** As {@link encode}. */
  bookmark(revision: number, initialEventsEnd: boolean): Uint8Array | undefined;
}

/** The encoder for what the client wants to see. */
export function eventEncoder(endpoint: ResourceEndpoint, transform: Transform | undefined, include: IncludeObject): EventEncoder {
  if (transform === undefined) return new PlainEncoder(endpoint);
  if (transform.kind === "PartialObjectMetadataList") return NO_LISTS;
  return transform.kind === "Table" ? new TableEncoder(endpoint, transform, include) : new PartialEncoder(transform);
}

/** An event's object is no list: upstream finds out with the first event, after it has answered 200. */
const NO_LISTS: EventEncoder = { encode: () => undefined, bookmark: () => undefined };

/**
 * The last batch that was encoded for each form. Watches of one filter get the very same array of events one after the
 * other, so that what the first of them encodes is what all others send.
 */
const encodedBatches = new WeakMap<readonly FilteredEvent[], Map<string, Uint8Array>>();
/** The line of one event, for watches of different filters. */
const encodedEvents = new WeakMap<FilteredEvent, Map<string, Uint8Array>>();

function shared<K extends object>(
  cache: WeakMap<K, Map<string, Uint8Array>>,
  key: K,
  form: string,
  encode: () => Uint8Array,
): Uint8Array {
  let forms = cache.get(key);
  if (forms === undefined) {
    forms = new Map();
    cache.set(key, forms);
  }
  let bytes = forms.get(form);
  if (bytes === undefined) {
    bytes = encode();
    forms.set(form, bytes);
  }
  return bytes;
}

class PlainEncoder implements EventEncoder {
  readonly #endpoint: ResourceEndpoint;
  constructor(endpoint: ResourceEndpoint) {
    this.#endpoint = endpoint;
  }

  encode(events: readonly FilteredEvent[]): Uint8Array {
    const { form } = this.#endpoint;
    const [only] = events;
    if (events.length === 1 && only !== undefined) return this.#line(only);
    return shared(encodedBatches, events, form.apiVersion, () => Buffer.concat(events.map((event) => this.#line(event))));
  }

  bookmark(revision: number, initialEventsEnd: boolean): Uint8Array {
    const { kind, apiVersion } = this.#endpoint.form;
    return line("BOOKMARK", { kind, apiVersion, metadata: bookmarkMeta(revision, initialEventsEnd) });
  }

  #line(event: FilteredEvent): Uint8Array {
    const { form } = this.#endpoint;
    return shared(encodedEvents, event, form.apiVersion, () =>
      versionedBytes(encodedInForm(form, event.entry), event.entry.revision, `{"type":"${event.type}","object":`, "}\n"),
    );
  }
}

class PartialEncoder implements EventEncoder {
  readonly #transform: Transform;
  constructor(transform: Transform) {
    this.#transform = transform;
  }

  encode(events: readonly FilteredEvent[]): Uint8Array {
    const { version } = this.#transform;
    const partial = (event: FilteredEvent): Uint8Array =>
      shared(encodedEvents, event, `partial/${version}`, () => line(event.type, partialMetadata(event.entry.object, version)));
    const [only] = events;
    if (events.length === 1 && only !== undefined) return partial(only);
    return shared(encodedBatches, events, `partial/${version}`, () => Buffer.concat(events.map(partial)));
  }

  bookmark(revision: number, initialEventsEnd: boolean): Uint8Array {
    const object = { metadata: bookmarkMeta(revision, initialEventsEnd) } as ApiObject;
    return line("BOOKMARK", partialMetadata(object, this.#transform.version));
  }
}

/** Only the first event of a watch carries column definitions. */
class TableEncoder implements EventEncoder {
  readonly #endpoint: ResourceEndpoint;
  readonly #transform: Transform;
  readonly #include: IncludeObject;
  #first = true;
  constructor(endpoint: ResourceEndpoint, transform: Transform, include: IncludeObject) {
    this.#endpoint = endpoint;
    this.#transform = transform;
    this.#include = include;
  }

  encode(events: readonly FilteredEvent[]): Uint8Array {
    return Buffer.concat(events.map(({ type, entry }) => this.#line(type, entry.object)));
  }

  bookmark(revision: number, initialEventsEnd: boolean): Uint8Array {
    const { kind, apiVersion } = this.#endpoint.form;
    const object: ApiObject = { kind, apiVersion, metadata: bookmarkMeta(revision, initialEventsEnd) };
    return this.#line("BOOKMARK", object);
  }

  #line(type: string, object: ApiObject): Uint8Array {
    const columns = columnsOf(this.#endpoint);
    const { version } = this.#transform;
    const now = this.#endpoint.modules.stores.modules.clock.now();
    const shown = type === "BOOKMARK" ? object : toServedForm(this.#endpoint.form, object);
    const row = tableRow(columns, object, shown, this.#include, version, now);
    const metadata = { resourceVersion: object.metadata.resourceVersion };
    const value = table(this.#first ? columns : null, metadata, [row], version);
    this.#first = false;
    return line(type, value);
  }
}

function bookmarkMeta(revision: number, initialEventsEnd: boolean): ApiObject["metadata"] {
  const resourceVersion = String(revision);
  return initialEventsEnd ? { resourceVersion, annotations: { "k8s.io/initial-events-end": "true" } } : { resourceVersion };
}

/** One line of a watch. */
export function line(type: string, object: unknown): Uint8Array {
  return Buffer.from(`{"type":"${type}","object":${JSON.stringify(object)}}\n`);
}
