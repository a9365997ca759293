import { type Fields, frameOf } from "#base/grpc/message-writer.ts";
import { type ReadField, WireReader } from "#base/wire-reader.ts";
import { prefixEnd } from "../key-order.ts";
import type { KeyValue } from "../kv.ts";

/** Stands for "no bound" as the end, and for the least key as the start. */
const NUL = "\0";

/** What a range, a watch or a deletion is about; `end` is absent for one key. */
export interface KeyRange {
  readonly start: string;
  readonly end?: string;
}

/** All keys with the prefix, from `start` on where it is given. */
export function prefixRange(prefix: string, start: string = prefix): KeyRange {
  return { start: start === "" ? NUL : start, end: prefixEnd(prefix) ?? NUL };
}

/** Every key there is. */
export const ALL_KEYS: KeyRange = prefixRange("");

/** A `RangeRequest`; without a revision of the present, by quorum. */
export function rangeRequest(
  range: KeyRange,
  options: { readonly revision?: number | undefined; readonly limit?: number | undefined; readonly countOnly?: boolean } = {},
): Buffer {
  return frameOf((fields) => writeRange(fields, range, options));
}

function writeRange(
  fields: Fields,
  range: KeyRange,
  options: { readonly revision?: number | undefined; readonly limit?: number | undefined; readonly countOnly?: boolean } = {},
): void {
  fields.flag(9, options.countOnly ?? false);
  fields.integer(4, options.revision ?? 0);
  fields.integer(3, options.limit ?? 0);
  fields.text(2, range.end ?? "");
  fields.text(1, range.start);
}

/** A `TxnRequest`: put (or, without a value, delete) where the key's revision is as expected, else read it. */
export function compareAndSwap(key: string, modRevision: number, put: { value: Uint8Array; lease: number } | undefined): Buffer {
  const MOD = 2;
  return frameOf(
    (fields) => {
      fields.message(3, () => fields.message(1, () => writeRange(fields, { start: key })));
      fields.message(2, () => {
        if (put === undefined) {
          fields.message(3, () => fields.text(1, key));
          return;
        }
        fields.message(2, () => {
          fields.integer(3, put.lease);
          fields.bytes(2, put.value);
          fields.text(1, key);
        });
      });
      fields.message(1, () => {
        fields.integer(6, modRevision);
        fields.text(3, key);
        fields.integer(2, MOD);
      });
    },
    (put?.value.byteLength ?? 0) + 3 * key.length + 128,
  );
}

/** A `WatchRequest` that begins a watch under an id of the caller's choice. */
export function watchCreate(id: number, range: KeyRange, startRevision: number): Buffer {
  return frameOf((fields) =>
    fields.message(1, () => {
      fields.integer(7, id);
      fields.integer(3, startRevision);
      fields.text(2, range.end ?? "");
      fields.text(1, range.start);
    }),
  );
}

/** A `WatchRequest` that ends a watch. */
export function watchCancel(id: number): Buffer {
  return frameOf((fields) => fields.message(2, () => fields.integer(1, id)));
}

/** A `WatchRequest` that asks how far the stream's watches have come. */
export function watchProgress(): Buffer {
  return frameOf((fields) => fields.message(3, () => undefined));
}

/** A `CompactionRequest`. */
export function compactionRequest(revision: number): Buffer {
  return frameOf((fields) => fields.integer(1, revision));
}

/** A `LeaseGrantRequest` with an id of the caller's choice. */
export function leaseGrant(id: number, ttlSeconds: number): Buffer {
  return frameOf((fields) => {
    fields.integer(2, id);
    fields.integer(1, ttlSeconds);
  });
}

/** A `LeaseRevokeRequest` or a `LeaseKeepAliveRequest`. */
export function leaseRequest(id: number): Buffer {
  return frameOf((fields) => fields.integer(1, id));
}

/** A message without fields. */
export function emptyRequest(): Buffer {
  return frameOf(() => undefined);
}

/** A `RangeResponse`. */
export interface RangeAnswer {
  revision: number;
  kvs: KeyValue[];
  /** Keys of the whole range. */
  count: number;
}

/** A `TxnResponse` to {@link compareAndSwap}. */
export interface SwapAnswer {
  revision: number;
  succeeded: boolean;
  /** How many keys a deletion has removed. */
  deleted: number;
  /** What is there where the write was refused. */
  kv: KeyValue | undefined;
}

/** One change in a `WatchResponse`. A deletion's `kv` has no value. */
export interface ChangeMessage {
  deleted: boolean;
  kv: KeyValue | undefined;
}

/** A `WatchResponse`. */
export interface WatchAnswer {
  revision: number;
  /** -1 for an answer to {@link watchProgress}. */
  watchId: number;
  created: boolean;
  canceled: boolean;
  compactRevision: number;
  cancelReason: string;
  events: ChangeMessage[];
}

function decode(bytes: Uint8Array, fieldsOf: (reader: WireReader) => ReadField): void {
  const reader = new WireReader(bytes);
  reader.fields(fieldsOf(reader));
}

/** Reads a `ResponseHeader`'s revision. */
function headerRevision(reader: WireReader): number {
  let revision = 0;
  reader.message((number, wire) => {
    if (number === 3) revision = reader.integer();
    else reader.skip(wire);
  });
  return revision;
}

const NO_BYTES: Uint8Array = new Uint8Array();

/** What somebody here has of a key's value: taken instead of a copy where it is the same. */
export type KnownValue = (key: string) => Uint8Array | undefined;

const NOTHING_KNOWN: KnownValue = () => undefined;

/** The bytes are a view of an answer. They are copied: it would be in memory as long as one of its values. */
function ownValue(bytes: Buffer, known: Uint8Array | undefined): Uint8Array {
  return known !== undefined && known.byteLength === bytes.byteLength && bytes.equals(known) ? known : new Uint8Array(bytes);
}

function readKeyValue(reader: WireReader, known: KnownValue = NOTHING_KNOWN): KeyValue {
  const kv: { -readonly [K in keyof KeyValue]: KeyValue[K] } = {
    key: "",
    value: NO_BYTES,
    createRevision: 0,
    modRevision: 0,
    version: 0,
    lease: 0,
  };
  reader.message((number, wire) => {
    if (number === 1) kv.key = reader.text();
    else if (number === 2) kv.createRevision = reader.integer();
    else if (number === 3) kv.modRevision = reader.integer();
    else if (number === 4) kv.version = reader.integer();
    else if (number === 5) kv.value = ownValue(reader.bytes(), known(kv.key));
    else if (number === 6) kv.lease = reader.integer();
    else reader.skip(wire);
  });
  return kv;
}

/** Reads the body of a `RangeResponse`, wherever it stands. */
function rangeFields(reader: WireReader, into: RangeAnswer): ReadField {
  return (number, wire) => {
    if (number === 1) into.revision = headerRevision(reader);
    else if (number === 2) into.kvs.push(readKeyValue(reader));
    else if (number === 4) into.count = reader.integer();
    else reader.skip(wire);
  };
}

/** Decodes a `RangeResponse`. */
export function rangeAnswer(bytes: Uint8Array): RangeAnswer {
  const answer: RangeAnswer = { revision: 0, kvs: [], count: 0 };
  decode(bytes, (reader) => rangeFields(reader, answer));
  return answer;
}

/** Of a `ResponseOp`: what a read gave, and what a deletion did. */
const [RESPONSE_RANGE, RESPONSE_DELETE_RANGE] = [1, 3];

/** Decodes the `TxnResponse` to {@link compareAndSwap}. */
export function swapAnswer(bytes: Uint8Array): SwapAnswer {
  const answer: SwapAnswer = { revision: 0, succeeded: false, deleted: 0, kv: undefined };
  decode(bytes, (reader) => {
    const readOperation: ReadField = (operation, wire) => {
      if (operation !== RESPONSE_RANGE && operation !== RESPONSE_DELETE_RANGE) return reader.skip(wire);
      reader.message((number, inner) => {
        if (number !== 2) reader.skip(inner);
        else if (operation === RESPONSE_RANGE) answer.kv = readKeyValue(reader);
        else answer.deleted = reader.integer();
      });
    };
    return (number, wire) => {
      if (number === 1) answer.revision = headerRevision(reader);
      else if (number === 2) answer.succeeded = reader.integer() !== 0;
      else if (number === 3) reader.message(readOperation);
      else reader.skip(wire);
    };
  });
  return answer;
}

/** Decodes a `WatchResponse`. */
export function watchAnswer(bytes: Uint8Array, known?: KnownValue): WatchAnswer {
  const answer: WatchAnswer = {
    revision: 0,
    watchId: 0,
    created: false,
    canceled: false,
    compactRevision: 0,
    cancelReason: "",
    events: [],
  };
  decode(bytes, (reader) => (number, wire) => {
    if (number === 1) answer.revision = headerRevision(reader);
    else if (number === 2) answer.watchId = reader.integer();
    else if (number === 3) answer.created = reader.integer() !== 0;
    else if (number === 4) answer.canceled = reader.integer() !== 0;
    else if (number === 5) answer.compactRevision = reader.integer();
    else if (number === 6) answer.cancelReason = reader.text();
    else if (number === 11) answer.events.push(readChange(reader, known));
    else reader.skip(wire);
  });
  return answer;
}

function readChange(reader: WireReader, known: KnownValue | undefined): ChangeMessage {
  const change: ChangeMessage = { deleted: false, kv: undefined };
  reader.message((number, wire) => {
    if (number === 1) change.deleted = reader.integer() === 1;
    else if (number === 2) change.kv = readKeyValue(reader, known);
    else reader.skip(wire);
  });
  return change;
}

/** The TTL of a `LeaseKeepAliveResponse`: 0 for a lease that is not there. */
export function keepAliveTtl(bytes: Uint8Array): number {
  let ttl = 0;
  decode(bytes, (reader) => (number, wire) => {
    if (number === 3) ttl = reader.integer();
    else reader.skip(wire);
  });
  return ttl;
}

/** The version of a `StatusResponse`: `3.5.13`. */
export function statusVersion(bytes: Uint8Array): string {
  let version = "";
  decode(bytes, (reader) => (number, wire) => {
    if (number === 2) version = reader.text();
    else reader.skip(wire);
  });
  return version;
}
