import { createHash } from "node:crypto";

/** What a frame is: the four lowest bits of its first byte (RFC 6455, section 5.2). */
export const Opcode = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** A frame that a client sent, unmasked. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Goes with every key (RFC 6455, section 1.3). */
const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** Clients of a watch have nothing to say: a longer frame ends the connection. */
const CLIENT_FRAME_BYTES_MAX = 64 * 1024;

/** The `Sec-WebSocket-Accept` that answers a key. */
export function acceptKey(key: string): string {
  return createHash("sha1").update(`${key}${KEY_SUFFIX}`).digest("base64");
}

/** A whole, unmasked frame, as servers send them. */
export function encodeFrame(opcode: number, payload: Uint8Array): Buffer {
  const { byteLength } = payload;
  const long = byteLength > 0xffff;
  const header = Buffer.alloc(long ? 10 : byteLength > 125 ? 4 : 2);
  header[0] = 0x80 | opcode;
  header[1] = long ? 127 : byteLength > 125 ? 126 : byteLength;
  if (long) header.writeBigUInt64BE(BigInt(byteLength), 2);
  else if (byteLength > 125) header.writeUInt16BE(byteLength, 2);
  return Buffer.concat([header, payload]);
}

/** Takes what a client sends, in any pieces, apart into frames. Throws when it sends too much at once. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  read(chunk: Uint8Array): readonly Frame[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | undefined {
    const bytes = this.#rest;
    if (bytes.byteLength < 2) return undefined;
    const short = bytes.readUInt8(1) & 0x7f;
    const lengthEnd = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (bytes.byteLength < lengthEnd) return undefined;
    const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    if (length > CLIENT_FRAME_BYTES_MAX) throw new Error(`a frame of ${length} bytes is too long`);
    const masked = bytes.readUInt8(1) >= 0x80;
    const start = lengthEnd + (masked ? 4 : 0);
    if (bytes.byteLength < start + length) return undefined;
    const mask = bytes.subarray(lengthEnd, start);
    const payload = Buffer.from(bytes.subarray(start, start + length));
    if (masked) for (let i = 0; i < length; i++) payload[i] = (payload[i] ?? 0) ^ (mask[i % 4] ?? 0);
    this.#rest = bytes.subarray(start + length);
    return { opcode: bytes.readUInt8(0) & 0x0f, payload };
  }
}
