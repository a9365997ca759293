import { assert } from "#base/assert.ts";
import type { LmdbFiles } from "./lmdb-files.ts";
import { decodeRecord, encodeIndexEntry, encodeRecord, recordBytes, type WriteRecord } from "./record.ts";

/** A write to one key. */
export interface WriteStep {
  readonly kind: "write";
  readonly record: WriteRecord;
  /** Of the record as it is kept. */
  readonly byteLength: number;
  /** The record as it is kept, where it stands in the log's bytes: no copy is made of it. Absent until {@link encodeStep}. */
  bytes?: Buffer;
  /** The lease that the key was attached to before; 0 for none. */
  readonly oldLease: number;
}

/** One change of the data. Making it again changes nothing, so that a log may be replayed from anywhere before its end. */
export type LogStep =
  | WriteStep
  | { readonly kind: "grantLease"; readonly id: number; readonly ttlSeconds: number }
  | { readonly kind: "endLease"; readonly id: number }
  | { readonly kind: "compact"; readonly revision: number };

const KINDS = ["write", "grantLease", "endLease", "compact"] as const;
const NUMBER_BYTES = 8;
/** Of a write: kind, revision, old lease and the record's length. */
const WRITE_HEADER_BYTES = 1 + 2 * NUMBER_BYTES + 4;

/** The step of a write. */
export function writeStep(record: WriteRecord, oldLease: number): WriteStep {
  return { kind: "write", record, byteLength: recordBytes(record), oldLease };
}

/** How many bytes {@link encodeStep} writes. */
export function stepBytes(step: LogStep): number {
  if (step.kind === "write") return WRITE_HEADER_BYTES + step.byteLength;
  return 1 + (step.kind === "grantLease" ? 2 : 1) * NUMBER_BYTES;
}

/** Writes the step at `at` and returns where it ends. Numbers are doubles, as in records. `target` must stay unchanged as long as the step. */
export function encodeStep(step: LogStep, target: Buffer, at: number): number {
  let end = target.writeUInt8(KINDS.indexOf(step.kind), at);
  switch (step.kind) {
    case "write":
      end = target.writeDoubleBE(step.record.kv.modRevision, end);
      end = target.writeDoubleBE(step.oldLease, end);
      end = target.writeUInt32BE(step.byteLength, end);
      step.bytes = target.subarray(end, encodeRecord(step.record, target, end));
      return end + step.byteLength;
    case "grantLease":
      return target.writeDoubleBE(step.ttlSeconds, target.writeDoubleBE(step.id, end));
    case "endLease":
      return target.writeDoubleBE(step.id, end);
    case "compact":
      return target.writeDoubleBE(step.revision, end);
  }
}

/** The inverse of {@link encodeStep} for many. `bytes` must stay unchanged: values are views into it. */
export function decodeSteps(bytes: Buffer): LogStep[] {
  const steps: LogStep[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    const step = decodeStep(bytes, at);
    steps.push(step);
    at += stepBytes(step);
  }
  return steps;
}

function decodeStep(bytes: Buffer, at: number): LogStep {
  const kind = KINDS[bytes.readUInt8(at)];
  const number = (index: number): number => bytes.readDoubleBE(at + 1 + index * NUMBER_BYTES);
  switch (kind) {
    case "write": {
      const start = at + WRITE_HEADER_BYTES;
      const byteLength = bytes.readUInt32BE(start - 4);
      const record = bytes.subarray(start, start + byteLength);
      return { kind, record: decodeRecord(record, number(0)), byteLength, bytes: record, oldLease: number(1) };
    }
    case "grantLease":
      return { kind, id: number(0), ttlSeconds: number(1) };
    case "endLease":
      return { kind, id: number(0) };
    case "compact":
      return { kind, revision: number(0) };
    default:
      throw new Error(`the log holds a step of an unknown kind, ${bytes.readUInt8(at)}`);
  }
}

/** The newest revision after the step; 0 where it says nothing of that. */
export function revisionOf(step: LogStep): number {
  if (step.kind === "write") return step.record.kv.modRevision;
  return step.kind === "compact" ? step.revision : 0;
}

/** Makes the step in the tables, within a transaction of the caller. */
export function applyStep({ writes, index, leases, meta }: LmdbFiles, step: LogStep): void {
  switch (step.kind) {
    case "write": {
      const { deleted, kv } = step.record;
      assert(step.bytes !== undefined, "a step is in the log before it is in the tables");
      void writes.put(kv.modRevision, step.bytes);
      void index.put(kv.key, encodeIndexEntry({ modRevision: kv.modRevision, deleted }));
      const lease = deleted ? 0 : kv.lease;
      if (step.oldLease === lease) return;
      if (step.oldLease !== 0) void leases.remove([step.oldLease, kv.key]);
      if (lease !== 0) void leases.put([lease, kv.key], 0);
      return;
    }
    case "grantLease":
      void leases.put(step.id, step.ttlSeconds);
      return;
    case "endLease":
      void leases.remove(step.id);
      return;
    case "compact":
      void meta.put("compactRevision", step.revision);
  }
}
