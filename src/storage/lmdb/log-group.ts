import { crc32 } from "node:zlib";
import { decodeSteps, encodeStep, type LogStep, stepBytes } from "./log-step.ts";

/** Random bytes that begin every group of one log: no value that a client stores looks like a group. */
export const LOG_ID_BYTES = 8;

const SEQUENCE_AT = LOG_ID_BYTES;
const LENGTH_AT = SEQUENCE_AT + 8;
const CHECKSUM_AT = LENGTH_AT + 4;
const HEADER_BYTES = CHECKSUM_AT + 4;

/** Steps that are durable together: one append. */
export interface LogGroup {
  /** One more than that of the group before, over the whole life of a log. */
  readonly sequence: number;
  readonly steps: readonly LogStep[];
}

/** A group's bytes: the log's id, sequence, length of the steps, a checksum of all of it (CRC-32), and the steps. */
export function encodeGroup(id: Buffer, { sequence, steps }: LogGroup): Buffer {
  let length = 0;
  for (const step of steps) length += stepBytes(step);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + length);
  bytes.set(id, 0);
  bytes.writeDoubleBE(sequence, SEQUENCE_AT);
  bytes.writeUInt32BE(length, LENGTH_AT);
  let at = HEADER_BYTES;
  for (const step of steps) at = encodeStep(step, bytes, at);
  bytes.writeUInt32BE(checksum(bytes), CHECKSUM_AT);
  return bytes;
}

/**
 * The groups after `sequence` that are whole, wherever in `bytes` they lie; `bytes` must stay unchanged. What is left of earlier rounds
 * in between is passed over, and so is a group that was only half written.
 */
export function findGroups(id: Buffer, bytes: Buffer, sequence: number): LogGroup[] {
  const groups: LogGroup[] = [];
  for (let at = bytes.indexOf(id); at >= 0; ) {
    const group = wholeGroup(bytes, at);
    if (group !== undefined && group.readDoubleBE(SEQUENCE_AT) > sequence)
      groups.push({ sequence: group.readDoubleBE(SEQUENCE_AT), steps: decodeSteps(group.subarray(HEADER_BYTES)) });
    at = bytes.indexOf(id, at + (group?.byteLength ?? 1));
  }
  return groups;
}

function wholeGroup(bytes: Buffer, at: number): Buffer | undefined {
  if (at + HEADER_BYTES > bytes.byteLength) return undefined;
  const end = at + HEADER_BYTES + bytes.readUInt32BE(at + LENGTH_AT);
  if (end > bytes.byteLength) return undefined;
  const group = bytes.subarray(at, end);
  return group.readUInt32BE(CHECKSUM_AT) === checksum(group) ? group : undefined;
}

function checksum(group: Buffer): number {
  return crc32(group.subarray(HEADER_BYTES), crc32(group.subarray(0, CHECKSUM_AT)));
}
