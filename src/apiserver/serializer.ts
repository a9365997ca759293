import type { ApiObject, ObjectMeta } from "#apimachinery/meta/api-object.ts";
import { mayBeInexact, parseExactJson, writeExactJson } from "#apimachinery/schema/exact-json.ts";
import { setOwn } from "#apimachinery/schema/json-node.ts";
import { assert } from "#base/assert.ts";

/** The bytes of one stored object as every reader gets them: JSON without `metadata.resourceVersion`, and where to splice it in. */
export interface EncodedObject {
  /** JSON text in UTF-8. */
  readonly bytes: Uint8Array;
  /** Byte offset at which `"resourceVersion":"N",` is put; just after `"metadata":{`. */
  readonly versionOffset: number;
  /** Byte offset after the brace that closes `metadata`; absent until {@link metadataEnd} is first asked for it. */
  metadataEnd?: number | undefined;
  /** Byte offset behind `spec`, where that comes behind `metadata` and the object was written by this process. */
  readonly specEnd?: number | undefined;
  /** The text may hold numbers that have to be read exactly. */
  readonly exact?: boolean;
}

/** A stored value as its writer has it. */
export interface KnownObject {
  readonly encoded: EncodedObject;
  readonly object: ApiObject;
}

const METADATA = Buffer.from('"metadata":{');
/** `apiVersion`, `kind` and the start of `metadata` come first in stored bytes: further in there is nothing to look for. */
const METADATA_SEARCH_BYTES = 512;

/** What the stored bytes of a kind begin with. */
export function storedHead(apiVersion: string, kind: string): Buffer {
  return Buffer.from(`${headOf(apiVersion, kind)}{`, "utf8");
}

/** All before the value of `metadata`. */
function headOf(apiVersion: string | undefined, kind: string | undefined): string {
  return `{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(kind)},"metadata":`;
}

/** Whether a value begins with these bytes, and goes on. */
export function beginsWith(value: Uint8Array, head: Uint8Array): boolean {
  return value.byteLength > head.byteLength && Buffer.compare(value.subarray(0, head.byteLength), head) === 0;
}

/** Where most objects are put together. */
const ROOM = Buffer.allocUnsafeSlow(128 * 1024);
/** What a unit of UTF-16 takes in UTF-8 at most. */
const BYTES_PER_UNIT_MAX = 3;
const SPEC = ',"spec":';
const COMMA = 0x2c;

/**
 * Encodes an object for storage: `apiVersion`, `kind` and `metadata` first, no resourceVersion. `before` is a known state of it: a spec
 * that is the very same, as when a status is written, is not written out again.
 *
 * Each text becomes bytes by itself: V8 would copy it whole to cut it, and once more to join it with others.
 */
export function encodeObject(object: ApiObject, before?: KnownObject): EncodedObject {
  const head = headOf(object.apiVersion, object.kind);
  const metadata = JSON.stringify(withoutVersion(object.metadata));
  assert(metadata.length > 2, "a stored object has metadata");
  const { spec, others } = membersBehind(object);
  const kept = spec === undefined ? undefined : specBytes(spec, before);
  const written = spec === undefined || kept !== undefined ? undefined : writeExactJson(spec);
  const rest = writeExactJson(others);
  const units = head.length + metadata.length + SPEC.length + (written?.text.length ?? 0) + rest.text.length;
  const most = units * BYTES_PER_UNIT_MAX + (kept?.byteLength ?? 0);
  const target = most <= ROOM.byteLength ? ROOM : Buffer.allocUnsafe(most);

  const metadataStart = target.write(head, 0);
  const metadataEnd = metadataStart + target.write(metadata, metadataStart);
  let specEnd: number | undefined;
  if (kept !== undefined) specEnd = metadataEnd + kept.copy(target, metadataEnd);
  else if (written !== undefined) {
    const at = metadataEnd + target.write(SPEC, metadataEnd);
    specEnd = at + target.write(written.text, at);
  }
  const restStart = specEnd ?? metadataEnd;
  const tail = rest.text === "{}" ? "}" : rest.text;
  const end = restStart + target.write(tail, restStart);
  // The brace that opens the rest is the comma before it.
  if (tail === rest.text) target[restStart] = COMMA;

  const exact = rest.exact || written?.exact === true;
  return { bytes: ownBytes(target, end), versionOffset: metadataStart + 1, metadataEnd, specEnd, exact };
}

/** What stands behind `metadata`; `spec` apart where it comes first. */
function membersBehind(object: ApiObject): { readonly spec: unknown; readonly others: Readonly<Record<string, unknown>> } {
  const others: Record<string, unknown> = {};
  let spec: unknown;
  let isFirst = true;
  for (const key in object) {
    const value = (object as unknown as Record<string, unknown>)[key];
    if (value === undefined || key === "apiVersion" || key === "kind" || key === "metadata") continue;
    if (isFirst && key === "spec") spec = value;
    else setOwn(others, key, value);
    isFirst = false;
  }
  return { spec, others };
}

/** The bytes of a spec as they stand in those of another state; undefined where that has another, or was read from the store. */
function specBytes(spec: unknown, before: KnownObject | undefined): Buffer | undefined {
  if (before === undefined || (before.object as { readonly spec?: unknown }).spec !== spec) return undefined;
  const { bytes, metadataEnd, specEnd, exact } = before.encoded;
  if (specEnd === undefined || metadataEnd === undefined || exact === true) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset + metadataEnd, specEnd - metadataEnd);
}

/**
 * A copy of the first bytes in memory of its own. `Buffer.from` takes it for short ones from blocks of 8 KB, each of which stays whole as
 * long as one of those lives that were written by and by: up to 8 KB for an object.
 */
function ownBytes(source: Buffer, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  source.copy(bytes, 0, 0, length);
  return bytes;
}

function withoutVersion(metadata: ObjectMeta): object {
  return metadata.resourceVersion === undefined ? metadata : { ...metadata, resourceVersion: undefined };
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
