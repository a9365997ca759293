import type { CacheEntry } from "../../cacher/cache-entry.ts";
import { DecodingPace } from "../../cacher/decoding-pace.ts";
import { encodedInForm, isEncodedInForm, messageInForm, type ServedForm } from "../../registry/store/served-form.ts";
import type { EncodedObject } from "../../serializer.ts";

// What is made of an object that is decoded costs so many times as much as to decode it. Measured.
const MESSAGE = 4;
const ENCODING = 2;
const OTHER_FORM = 6;

// The same of what is written of each object, in bytes that could be decoded meanwhile: a row, and metadata that are copied alone.
const ROW = 2_048;
const COPY = 512;

/** The objects of a list in a form, made in pieces between which requests are answered: for the first that asks they are many. */
export async function encodedObjects(form: ServedForm, entries: readonly CacheEntry[]): Promise<EncodedObject[]> {
  const factor = form.other === undefined ? ENCODING : OTHER_FORM;
  const pace = new DecodingPace();
  const made: EncodedObject[] = [];
  for (const entry of entries) {
    const pause = isEncodedInForm(form, entry) ? undefined : pace.before(entry, factor * entry.size);
    if (pause !== undefined) await pause;
    made.push(encodedInForm(form, entry));
  }
  return made;
}

/** The same as protobuf messages. */
export async function messages(form: ServedForm, entries: readonly CacheEntry[]): Promise<Uint8Array[]> {
  const pace = new DecodingPace();
  const made: Uint8Array[] = [];
  for (const entry of entries) {
    const pause = entry.isMessageAs(form.apiVersion) ? undefined : pace.before(entry, MESSAGE * entry.size);
    if (pause !== undefined) await pause;
    made.push(messageInForm(form, entry));
  }
  return made;
}

/** The pace of who writes something of each object. */
export class RowPace {
  readonly #pace = new DecodingPace();

  /** Asked before one that must be decoded: what is to be awaited first, if anything. */
  before(entry: CacheEntry): Promise<void> | undefined {
    return this.#pace.before(entry, ROW);
  }

  /** The same before one whose bytes are enough. */
  beforeCopy(): Promise<void> | undefined {
    return this.#pace.beforeWork(COPY);
  }
}
