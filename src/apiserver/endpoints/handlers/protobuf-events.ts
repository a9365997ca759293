import type { Status } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { inEnvelope, watchFrame } from "#apimachinery/protobuf/envelope.ts";
import type { FilteredEvent } from "../../cacher/watch-group.ts";
import { protobufValue } from "../../protobuf-value.ts";
import { messageInForm, type ServedForm } from "../../registry/store/served-form.ts";
import { type MetaVersion, partialMetadata } from "../../table/table.ts";
import { bookmarkMeta, type EventEncoder, encodedBatch, encodedEvent } from "./shared-encodings.ts";

/** Turns events into frames of protobuf: of the objects themselves, or of their metadata where `partial` names a version of it. */
export class ProtobufEventEncoder implements EventEncoder {
  readonly #form: ServedForm;
  readonly #partial: MetaVersion | undefined;
  readonly #id: string;

  constructor(form: ServedForm, partial: MetaVersion | undefined) {
    this.#form = form;
    this.#partial = partial;
    this.#id = `protobuf/${partial === undefined ? form.apiVersion : `partial/${partial}`}`;
  }

  encode(events: readonly FilteredEvent[]): Uint8Array {
    return encodedBatch(events, this.#id, (event) => encodedEvent(event, this.#id, () => this.#frame(event)));
  }

  encodeFirst(events: readonly FilteredEvent[]): Uint8Array {
    return Buffer.concat(events.map((event) => this.#frame(event)));
  }

  #frame(event: FilteredEvent): Uint8Array {
    return watchFrame(event.type, this.#enveloped(event));
  }

  bookmark(revision: number, initialEventsEnd: boolean): Uint8Array {
    const { kind, apiVersion } = this.#form;
    const object: ApiObject = { kind, apiVersion, metadata: bookmarkMeta(revision, initialEventsEnd) };
    const value = this.#partial === undefined ? object : (partialMetadata(object, this.#partial) as object);
    return watchFrame("BOOKMARK", protobufValue(value));
  }

  failure(status: Status): Uint8Array {
    return watchFrame("ERROR", protobufValue(status));
  }

  #enveloped({ entry }: FilteredEvent): Uint8Array {
    const { apiVersion, kind, fieldAnnotations } = this.#form;
    if (this.#partial !== undefined) {
      return protobufValue(partialMetadata(entry.object, this.#partial, fieldAnnotations) as object);
    }
    return inEnvelope(apiVersion, kind, messageInForm(this.#form, entry));
  }
}
