import type { Status } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { exactJson } from "#apimachinery/schema/exact-json.ts";
import type { FilteredEvent } from "../../cacher/watch-group.ts";
import { encodedInForm, toServedForm } from "../../registry/store/served-form.ts";
import { versionedBytes } from "../../serializer.ts";
import { type IncludeObject, partialMetadata, table, tableRow } from "../../table/table.ts";
import { AnswerWriter } from "./answer-writer.ts";
import type { Negotiated, Transform } from "./negotiation.ts";
import { ProtobufEventEncoder } from "./protobuf-events.ts";
import { columnsOf } from "./representation.ts";
import type { ResourceEndpoint } from "./resource-handler.ts";
import { bookmarkMeta, type EventEncoder, encodedBatch, encodedEvent } from "./shared-encodings.ts";

/** The encoder for what the client wants to see. */
export function eventEncoder(endpoint: ResourceEndpoint, negotiated: Negotiated, include: IncludeObject): EventEncoder {
  const { format, transform } = negotiated;
  if (transform?.kind === "PartialObjectMetadataList") return NO_LISTS;
  if (format === "protobuf") return new ProtobufEventEncoder(endpoint.form, transform?.version);
  if (transform === undefined) return new PlainEncoder(endpoint);
  return transform.kind === "Table" ? new TableEncoder(endpoint, transform, include) : new PartialEncoder(endpoint, transform);
}

/** An event's object is no list: upstream finds out with the first event, after it has answered 200. */
const NO_LISTS: EventEncoder = {
  encode: () => undefined,
  encodeFirst: () => undefined,
  bookmark: () => undefined,
  failure: errorLine,
};

function errorLine(status: Status): Uint8Array {
  return line("ERROR", status);
}

class PlainEncoder implements EventEncoder {
  readonly failure: EventEncoder["failure"] = errorLine;
  readonly #endpoint: ResourceEndpoint;
  constructor(endpoint: ResourceEndpoint) {
    this.#endpoint = endpoint;
  }

  encode(events: readonly FilteredEvent[]): Uint8Array {
    return encodedBatch(events, this.#endpoint.form.apiVersion, (event) => this.#line(event));
  }

  encodeFirst(events: readonly FilteredEvent[]): Uint8Array {
    const { form } = this.#endpoint;
    const writer = new AnswerWriter();
    for (const { type, entry } of events) {
      writer.text(`{"type":"${type}","object":`);
      writer.object(encodedInForm(form, entry), entry.revision);
      writer.text("}\n");
    }
    return writer.bytes();
  }

  bookmark(revision: number, initialEventsEnd: boolean): Uint8Array {
    const { kind, apiVersion } = this.#endpoint.form;
    return line("BOOKMARK", { kind, apiVersion, metadata: bookmarkMeta(revision, initialEventsEnd) });
  }

  #line(event: FilteredEvent): Uint8Array {
    const { form } = this.#endpoint;
    return encodedEvent(event, form.apiVersion, () =>
      versionedBytes(encodedInForm(form, event.entry), event.entry.revision, `{"type":"${event.type}","object":`, "}\n"),
    );
  }
}

class PartialEncoder implements EventEncoder {
  readonly failure: EventEncoder["failure"] = errorLine;
  readonly #endpoint: ResourceEndpoint;
  readonly #transform: Transform;
  constructor(endpoint: ResourceEndpoint, transform: Transform) {
    this.#endpoint = endpoint;
    this.#transform = transform;
  }

  encode(events: readonly FilteredEvent[]): Uint8Array {
    const { version } = this.#transform;
    const partial = (event: FilteredEvent): Uint8Array => encodedEvent(event, `partial/${version}`, () => this.#line(event));
    return encodedBatch(events, `partial/${version}`, partial);
  }

  encodeFirst(events: readonly FilteredEvent[]): Uint8Array {
    return Buffer.concat(events.map((event) => this.#line(event)));
  }

  #line({ type, entry }: FilteredEvent): Uint8Array {
    return line(type, partialMetadata(entry.object, this.#transform.version, this.#endpoint.form.fieldAnnotations));
  }

  bookmark(revision: number, initialEventsEnd: boolean): Uint8Array {
    const object = { metadata: bookmarkMeta(revision, initialEventsEnd) } as ApiObject;
    return line("BOOKMARK", partialMetadata(object, this.#transform.version));
  }
}

/** Only the first event of a watch carries column definitions. */
class TableEncoder implements EventEncoder {
  readonly failure: EventEncoder["failure"] = errorLine;
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

  encodeFirst(events: readonly FilteredEvent[]): Uint8Array {
    return this.encode(events);
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
    const row = tableRow(columns, object, shown, this.#include, version, now, this.#endpoint.form.fieldAnnotations);
    const metadata = { resourceVersion: object.metadata.resourceVersion };
    const value = table(this.#first ? columns : null, metadata, [row], version);
    this.#first = false;
    return line(type, value);
  }
}

/** One line of a watch. */
function line(type: string, object: unknown): Uint8Array {
  return Buffer.from(`{"type":"${type}","object":${exactJson(object)}}\n`);
}
