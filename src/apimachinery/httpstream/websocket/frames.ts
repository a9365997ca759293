import { createHash } from "node:crypto";

/** What a frame is: the four lowest bits of its first byte (RFC 6455, section 5.2). */
export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A frame as the other end sent it, unmasked. */
export interface Frame {
  readonly opcode: number;
  /** The last of its message. */
  readonly fin: boolean;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** Goes with every key (RFC 6455, section 1.3). */
const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** Longest frame of who has nothing to say, as clients of a watch. */
const FRAME_BYTES_MAX = 64 * 1024;
const FIN = 0x80;
const MASKED = 0x80;

/** The `Sec-WebSocket-Accept` that answers a key. */
export function acceptKey(key: string): string {
  return createHash("sha1").update(`${key}${KEY_SUFFIX}`).digest("base64");
}

/** A whole frame: a server's without a mask, a client's with four bytes of it. */
export function encodeFrame(opcode: number, payload: Uint8Array, mask?: Uint8Array): Buffer {
  const { byteLength } = payload;
  const long = byteLength > 0xffff;
  const lengthEnd = long ? 10 : byteLength > 125 ? 4 : 2;
  const frame = Buffer.allocUnsafe(lengthEnd + (mask === undefined ? 0 : 4) + byteLength);
  frame[0] = FIN | opcode;
  frame[1] = (long ? 127 : byteLength > 125 ? 126 : byteLength) | (mask === undefined ? 0 : MASKED);
  if (long) frame.writeBigUInt64BE(BigInt(byteLength), 2);
  else if (byteLength > 125) frame.writeUInt16BE(byteLength, 2);
  if (mask !== undefined) frame.set(mask.subarray(0, 4), lengthEnd);
  const body = frame.subarray(frame.length - byteLength);
  body.set(payload);
  if (mask !== undefined) applyMask(body, mask);
  return frame;
}

/** Takes what the other end sends, in any pieces, apart into frames. Throws when one is too long. */
export class FrameReader {
  readonly #bytesMax: number;
  #chunks: Uint8Array[] = [];
  #length = 0;
  /** So many bytes are needed before there is anything to look at. */
  #needed = 2;

  /** `bytesMax`: longest payload of a frame. */
  constructor(bytesMax: number = FRAME_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  read(chunk: Uint8Array): readonly Frame[] {
    this.#chunks.push(chunk);
    this.#length += chunk.byteLength;
    if (this.#length < this.#needed) return [];
    let bytes = this.#chunks.length === 1 ? toBuffer(chunk) : Buffer.concat(this.#chunks);
    const frames: Frame[] = [];
    for (let frame = this.#next(bytes); frame !== undefined; frame = this.#next(bytes)) {
      frames.push(frame);
      bytes = bytes.subarray(this.#needed);
    }
    this.#chunks = bytes.length === 0 ? [] : [bytes];
    this.#length = bytes.length;
    return frames;
  }

  /** The frame that the bytes begin with; `#needed` is its length, or what is known of it. */
  #next(bytes: Buffer): Frame | undefined {
    this.#needed = 2;
    if (bytes.length < 2) return undefined;
    const second = bytes.readUInt8(1);
    const short = second & 0x7f;
    const lengthEnd = short === 126 ? 4 : short === 127 ? 10 : 2;
    this.#needed = lengthEnd;
    if (bytes.length < lengthEnd) return undefined;
    const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    if (length > this.#bytesMax) throw new Error(`a frame of ${length} bytes is too long`);
    const masked = second >= MASKED;
    const start = lengthEnd + (masked ? 4 : 0);
    this.#needed = start + length;
    if (bytes.length < this.#needed) return undefined;
    const payload = Buffer.from(bytes.subarray(start, start + length));
    if (masked) applyMask(payload, bytes.subarray(lengthEnd, start));
    const first = bytes.readUInt8(0);
    return { opcode: first & 0x0f, fin: first >= FIN, masked, payload };
  }
}

function applyMask(bytes: Uint8Array, mask: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] ?? 0) ^ (mask[i & 3] ?? 0);
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
