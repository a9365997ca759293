import type { KeyValue } from "../kv.ts";

/** One write as it is kept: what happened to a key at a revision, and where the key's write before it is. */
export interface WriteRecord {
  readonly deleted: boolean;
  /** Revision of the key's previous write (also when that was a deletion); 0 for its first. */
  readonly previousRevision: number;
  /** The state that was written; for a deletion only `key` and `modRevision` mean something. */
  readonly kv: KeyValue;
}

const DELETED_AT = 0;
const PREVIOUS_AT = 1;
const CREATE_AT = 9;
const VERSION_AT = 17;
const LEASE_AT = 25;
const KEY_BYTES_AT = 33;
const HEADER_BYTES = 37;

/** What the next write to a key goes on from: its last one without the value. */
export interface WriteHeader {
  readonly deleted: boolean;
  readonly kv: Omit<KeyValue, "value">;
}

/** How many bytes {@link encodeRecord} writes. */
export function recordBytes({ kv }: WriteRecord): number {
  return HEADER_BYTES + Buffer.byteLength(kv.key) + kv.value.byteLength;
}

/** Writes the record at `at`, and returns where it ends. Numbers are doubles: revisions are integers that fit one exactly. */
export function encodeRecord({ deleted, previousRevision, kv }: WriteRecord, target: Buffer, at: number): number {
  target.writeUInt8(deleted ? 1 : 0, at + DELETED_AT);
  target.writeDoubleBE(previousRevision, at + PREVIOUS_AT);
  target.writeDoubleBE(kv.createRevision, at + CREATE_AT);
  target.writeDoubleBE(kv.version, at + VERSION_AT);
  target.writeDoubleBE(kv.lease, at + LEASE_AT);
  const keyBytes = target.write(kv.key, at + HEADER_BYTES);
  target.writeUInt32BE(keyBytes, at + KEY_BYTES_AT);
  target.set(kv.value, at + HEADER_BYTES + keyBytes);
  return at + HEADER_BYTES + keyBytes + kv.value.byteLength;
}

/** `bytes` must stay unchanged: the value is a view into it. */
export function decodeRecord(bytes: Buffer, modRevision: number): WriteRecord {
  const keyBytes = bytes.readUInt32BE(KEY_BYTES_AT);
  return {
    deleted: bytes.readUInt8(DELETED_AT) === 1,
    previousRevision: bytes.readDoubleBE(PREVIOUS_AT),
    kv: {
      key: bytes.toString("utf8", HEADER_BYTES, HEADER_BYTES + keyBytes),
      value: bytes.subarray(HEADER_BYTES + keyBytes),
      createRevision: bytes.readDoubleBE(CREATE_AT),
      modRevision,
      version: bytes.readDoubleBE(VERSION_AT),
      lease: bytes.readDoubleBE(LEASE_AT),
    },
  };
}

/** The write of a revision to this key, without what was written. */
export function decodeHeader(bytes: Buffer, key: string, modRevision: number): WriteHeader {
  return {
    deleted: bytes.readUInt8(DELETED_AT) === 1,
    kv: {
      key,
      createRevision: bytes.readDoubleBE(CREATE_AT),
      modRevision,
      version: bytes.readDoubleBE(VERSION_AT),
      lease: bytes.readDoubleBE(LEASE_AT),
    },
  };
}

/** The write before this one, without decoding the rest. */
export function previousRevisionOf(bytes: Buffer): number {
  return bytes.readDoubleBE(PREVIOUS_AT);
}

/** What the index says of a key: its last write, and whether that was a deletion. */
export interface IndexEntry {
  readonly modRevision: number;
  readonly deleted: boolean;
}

/** Nine bytes. */
export function encodeIndexEntry(entry: IndexEntry): Buffer {
  const buffer = Buffer.allocUnsafe(9);
  buffer.writeDoubleBE(entry.modRevision, 0);
  buffer.writeUInt8(entry.deleted ? 1 : 0, 8);
  return buffer;
}

/** The inverse of {@link encodeIndexEntry}. */
export function decodeIndexEntry(bytes: Buffer): IndexEntry {
  return { modRevision: bytes.readDoubleBE(0), deleted: bytes.readUInt8(8) === 1 };
}
