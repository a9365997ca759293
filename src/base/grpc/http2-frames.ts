/** Types of frames (RFC 9113, section 6). */
export const Frame = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** What a DATA or HEADERS frame says besides; see {@link Frame}. */
export const END_STREAM = 0x1;
/** Of SETTINGS and PING. */
export const ACK = 0x1;
/** Of HEADERS and CONTINUATION. */
export const END_HEADERS = 0x4;
/** Of DATA and HEADERS. */
export const PADDED = 0x8;
/** Of HEADERS. */
export const PRIORITY = 0x20;

/** The server has not looked at the request. */
export const REFUSED_STREAM = 7;
/** The client does not want the answer any more. */
export const CANCEL = 8;

/** What stands before each frame. */
export const FRAME_BYTES = 9;
/** Largest frame that is taken, and sent unless the other side takes more: the protocol's default. */
export const FRAME_PAYLOAD_MAX = 16_384;

/** The payload of a frame that is a few numbers of 32 bits. */
export function numbers(...values: readonly number[]): Buffer {
  const payload = Buffer.allocUnsafe(4 * values.length);
  for (const [i, value] of values.entries()) payload.writeUInt32BE(value, 4 * i);
  return payload;
}

/** The payload of a SETTINGS frame: numbers and values. */
export function settings(values: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.allocUnsafe(6 * values.length);
  for (const [i, [number, value]] of values.entries()) {
    payload.writeUInt16BE(number, 6 * i);
    payload.writeUInt32BE(value, 6 * i + 2);
  }
  return payload;
}

/** What a DATA or HEADERS frame holds, without padding and priority. Throws `RangeError` where that is longer than the frame. */
export function unpadded(payload: Buffer, flags: number): Buffer {
  let start = 0;
  let end = payload.length;
  if ((flags & PADDED) !== 0) {
    start = 1;
    end -= payload[0] ?? 0;
  }
  if ((flags & PRIORITY) !== 0) start += 5;
  if (start > end) throw new RangeError("a frame that is all padding");
  return payload.subarray(start, end);
}
