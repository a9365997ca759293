import type { ApiObject, ObjectMeta } from "#apimachinery/meta/api-object.ts";
import { mayBeInexact, parseExactJson, writeExactJson } from "#apimachinery/schema/exact-json.ts";
import { assert } from "#base/assert.ts";

/** The bytes of one stored object as every reader gets them: JSON without `metadata.resourceVersion`, and where to splice it in. */
export interface EncodedObject {
  /** JSON text in UTF-8. */
  readonly bytes: Uint8Array;
  /** Byte offset at which `"resourceVersion":"N",` is put; just after `"metadata":{`. */
  readonly versionOffset: number;
  /** Byte offset after the brace that closes `metadata`; absent until {@link metadataEnd} is first asked for it. */
  metadataEnd?: number | undefined;
  /** The text may hold numbers that have to be read exactly. */
  readonly exact?: boolean;
}

const METADATA = Buffer.from('"metadata":{');
/** `apiVersion`, `kind` and the start of `metadata` come first in stored bytes: further in there is nothing to look for. */
const METADATA_SEARCH_BYTES = 512;

/** What the stored bytes of a kind begin with. */
export function storedHead(apiVersion: string, kind: string): Buffer {
  return Buffer.from(headOf(apiVersion, kind), "utf8");
}

function headOf(apiVersion: string | undefined, kind: string | undefined): string {
  return `{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(kind)},"metadata":{`;
}

/** Whether a value begins with these bytes, and goes on. */
export function beginsWith(value: Uint8Array, head: Uint8Array): boolean {
  return value.byteLength > head.byteLength && Buffer.compare(value.subarray(0, head.byteLength), head) === 0;
}

/** Encodes an object for storage: `apiVersion`, `kind` and `metadata` first, no resourceVersion. */
export function encodeObject(object: ApiObject): EncodedObject {
  const head = headOf(object.apiVersion, object.kind);
  const body = JSON.stringify(withoutVersion(object.metadata));
  assert(body.length > 2, "a stored object has metadata");
  let text = `${head}${body.slice(1)}`;
  let exact = false;
  // Each by itself: a copy of the object without what is written already would cost more.
  for (const key in object) {
    const value = (object as unknown as Record<string, unknown>)[key];
    if (value === undefined || key === "apiVersion" || key === "kind" || key === "metadata") continue;
    const written = writeExactJson(value);
    exact ||= written.exact;
    text += `,${JSON.stringify(key)}:${written.text}`;
  }
  text += "}";
  const bytes = ownBytes(text);
  const isAscii = bytes.byteLength === text.length;
  const metadataEnd = isAscii ? head.length + body.length - 1 : undefined;
  return { bytes, versionOffset: isAscii ? head.length : Buffer.byteLength(head, "utf8"), metadataEnd, exact };
}

/**
 * The text's bytes in memory of their own. `Buffer.from` takes it for short ones from blocks of 8 KB, each of which stays whole as long
 * as one of those lives that were written by and by: up to 8 KB for an object.
 */
function ownBytes(text: string): Buffer {
  const length = Buffer.byteLength(text, "utf8");
  const bytes = Buffer.allocUnsafeSlow(length);
  bytes.write(text, 0, length === text.length ? "latin1" : "utf8");
  return bytes;
}

function withoutVersion(metadata: ObjectMeta): ObjectMeta {
  if (metadata.resourceVersion === undefined) return metadata;
  const { resourceVersion: _, ...rest } = metadata;
  return rest;
}

/** Finds the splice point in bytes that {@link encodeObject} wrote, here or in an earlier run. `custom`: of a custom resource. */
export function encodedFromBytes(bytes: Uint8Array, custom = false): EncodedObject {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, METADATA_SEARCH_BYTES));
  const at = view.indexOf(METADATA);
  assert(at > 0, "stored bytes are a JSON object with metadata in front");
  return { bytes, versionOffset: at + METADATA.length, metadataEnd: undefined, exact: custom && mayBeInexact(bytes) };
}

/** Where `metadata` ends in the bytes of an object. */
function metadataEnd(encoded: EncodedObject): number {
  encoded.metadataEnd ??= endOfObject(encoded.bytes, encoded.versionOffset);
  return encoded.metadataEnd;
}

/** The offset after the brace that closes the object whose opening brace stands before `start`. */
function endOfObject(bytes: Uint8Array, start: number): number {
  let depth = 1;
  let at = start;
  for (let inText = false; depth > 0; at++) {
    const byte = bytes[at];
    assert(byte !== undefined, "stored bytes are a whole JSON object");
    if (inText) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) inText = false;
    } else if (byte === 0x22) inText = true;
    else if (byte === 0x7b) depth++;
    else if (byte === 0x7d) depth--;
  }
  return at;
}

/** The object that the bytes hold, with its resourceVersion. */
export function decodeEncoded(encoded: EncodedObject, revision: number): ApiObject {
  const { bytes, exact } = encoded;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const object = (exact ? parseExactJson(text) : JSON.parse(text)) as ApiObject;
  object.metadata.resourceVersion = String(revision);
  return object;
}

const HEAD = '"resourceVersion":"';
const TAIL = '",';

/** How many bytes {@link writeVersioned} writes. */
export function versionedLength(encoded: EncodedObject, revision: number): number {
  return encoded.bytes.byteLength + HEAD.length + String(revision).length + TAIL.length;
}

/** Writes the object with its resourceVersion, but for the first `skip` bytes, into `target` at `at`; returns the offset after it. */
export function writeVersioned(target: Buffer, at: number, encoded: EncodedObject, revision: number, skip = 0): number {
  const { bytes, versionOffset } = encoded;
  target.set(bytes.subarray(skip, versionOffset), at);
  let offset = at + versionOffset - skip;
  offset += target.write(`${HEAD}${revision}${TAIL}`, offset, "latin1");
  target.set(bytes.subarray(versionOffset), offset);
  return offset + bytes.byteLength - versionOffset;
}

/** The object's bytes with its resourceVersion, between two texts. */
export function versionedBytes(encoded: EncodedObject, revision: number, before = "", after = ""): Buffer {
  const target = Buffer.allocUnsafe(before.length + versionedLength(encoded, revision) + after.length);
  let at = before === "" ? 0 : target.write(before, 0, "latin1");
  at = writeVersioned(target, at, encoded, revision);
  if (after !== "") target.write(after, at, "latin1");
  return target;
}

/** How many bytes {@link writeMetadata} writes. */
export function metadataLength(encoded: EncodedObject, revision: number): number {
  return 1 + metadataEnd(encoded) - encoded.versionOffset + HEAD.length + String(revision).length + TAIL.length;
}

/** Writes the object's metadata, with its resourceVersion, into `target` at `at`; returns the offset after it. */
export function writeMetadata(target: Buffer, at: number, encoded: EncodedObject, revision: number): number {
  const offset = at + target.write(`{${HEAD}${revision}${TAIL}`, at, "latin1");
  const metadata = encoded.bytes.subarray(encoded.versionOffset, metadataEnd(encoded));
  target.set(metadata, offset);
  return offset + metadata.byteLength;
}

/** One item of a list body. */
export interface VersionedObject {
  readonly encoded: EncodedObject;
  readonly revision: number;
}

/**
 * A list body: `head`, the items with commas between, `tail`; in one buffer. Items of a typed list do not repeat their kind,
 * those of custom resources (`withKinds`) do.
 */
export function listBytes(head: string, items: readonly VersionedObject[], tail: string, withKinds = false): Buffer {
  const skip = withKinds ? (): number => 0 : kindLength;
  let length = Buffer.byteLength(head) + Buffer.byteLength(tail) + Math.max(0, items.length - 1);
  for (const { encoded, revision } of items) length += versionedLength(encoded, revision) - skip(encoded);
  const target = Buffer.allocUnsafe(length);
  let at = target.write(head, 0);
  for (let i = 0; i < items.length; i++) {
    if (i > 0) target[at++] = 0x2c;
    const { encoded, revision } = items[i] as VersionedObject;
    const start = at;
    at = writeVersioned(target, at, encoded, revision, skip(encoded));
    // The comma before `metadata` becomes the object's opening brace.
    target[start] = 0x7b;
  }
  target.write(tail, at);
  return target;
}

/** How many bytes stand before `metadata`, but for the brace: `apiVersion` and `kind`. */
function kindLength({ versionOffset }: EncodedObject): number {
  return versionOffset - METADATA.length - 1;
}
