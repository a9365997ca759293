import { WireWriter } from "#base/wire-writer.ts";

/** `k8s\0`, which every object in Kubernetes' protobuf form begins with (runtime/serializer/protobuf). */
export const PROTOBUF_PREFIX: Uint8Array = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

const LENGTH_DELIMITED = 2;
/** What stands around an item of a list: tag and length. */
const ITEM_HEAD_BYTES = 6;
const ENVELOPE_BYTES = 256;

/** A message in its envelope: the prefix, and a `runtime.Unknown` that tells its kind. */
export function inEnvelope(apiVersion: string, kind: string, message: Uint8Array): Buffer {
  const writer = new WireWriter(message.length + ENVELOPE_BYTES);
  writeUnknown(writer, apiVersion, kind, () => writer.raw(message));
  return writer.finish();
}

/** Behind the message in its envelope: no encoding of the content, and no type of it. */
const ENVELOPE_TAIL = Uint8Array.of(0x1a, 0, 0x22, 0);

/** A message in its envelope, written where it stands. `head` is {@link envelopeHead}'s; `expectedBytes` saves copying where it is known. */
export function writtenInEnvelope(head: Uint8Array, expectedBytes: number, write: (writer: WireWriter) => void): Buffer {
  const writer = new WireWriter(expectedBytes + ENVELOPE_BYTES);
  writer.raw(ENVELOPE_TAIL);
  const before = writer.length;
  write(writer);
  writer.lengthSince(before);
  writer.tag(2, LENGTH_DELIMITED);
  writer.raw(head);
  return writer.finish();
}

/** What {@link inEnvelope} begins with for every object of a kind: the prefix and the kind. */
export function envelopeHead(apiVersion: string, kind: string): Buffer {
  const writer = new WireWriter(ENVELOPE_BYTES);
  writeKind(writer, apiVersion, kind);
  return writer.finish();
}

/** A list in its envelope: `metadata` is field 1, each of the `items` a field 2, as in all lists of API objects. */
export function listInEnvelope(apiVersion: string, kind: string, metadata: Uint8Array, items: readonly Uint8Array[]): Buffer {
  let size = metadata.length + ENVELOPE_BYTES;
  for (const item of items) size += item.length + ITEM_HEAD_BYTES;
  const writer = new WireWriter(size);
  writeUnknown(writer, apiVersion, kind, () => {
    for (let i = items.length - 1; i >= 0; i--) {
      writer.bytes(items[i] as Uint8Array);
      writer.tag(2, LENGTH_DELIMITED);
    }
    writer.bytes(metadata);
    writer.tag(1, LENGTH_DELIMITED);
  });
  return writer.finish();
}

/**
 * One frame of a watch: the length in four bytes, and a `WatchEvent` whose object stands in its own envelope
 * (upstream's `LengthDelimitedFramer`).
 */
export function watchFrame(type: string, enveloped: Uint8Array): Buffer {
  const writer = new WireWriter(enveloped.length + ENVELOPE_BYTES);
  const before = writer.length;
  writer.bytes(enveloped);
  writer.tag(1, LENGTH_DELIMITED);
  writer.lengthSince(before);
  writer.tag(2, LENGTH_DELIMITED);
  writer.text(type);
  writer.tag(1, LENGTH_DELIMITED);
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32BE(writer.length);
  writer.raw(head);
  return writer.finish();
}

/** TypeMeta, raw, contentEncoding and contentType: backwards, as the writer goes. */
function writeUnknown(writer: WireWriter, apiVersion: string, kind: string, writeRaw: () => void): void {
  writer.text("");
  writer.tag(4, LENGTH_DELIMITED);
  writer.text("");
  writer.tag(3, LENGTH_DELIMITED);
  const before = writer.length;
  writeRaw();
  writer.lengthSince(before);
  writer.tag(2, LENGTH_DELIMITED);
  writeKind(writer, apiVersion, kind);
}

/** The prefix and TypeMeta. */
function writeKind(writer: WireWriter, apiVersion: string, kind: string): void {
  const before = writer.length;
  writer.text(kind);
  writer.tag(2, LENGTH_DELIMITED);
  writer.text(apiVersion);
  writer.tag(1, LENGTH_DELIMITED);
  writer.lengthSince(before);
  writer.tag(1, LENGTH_DELIMITED);
  writer.raw(PROTOBUF_PREFIX);
}
