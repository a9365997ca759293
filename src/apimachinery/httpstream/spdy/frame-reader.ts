import { FLAG_FIN, FLAG_UNIDIRECTIONAL, type Frame, FrameType, SETTING_INITIAL_WINDOW } from "./frames.ts";
import { HEADER_BLOCK_BYTES_MAX, HeaderBlockReader } from "./header-block.ts";
import { SpdyError } from "./spdy-error.ts";

const HEAD_BYTES = 8;
const VERSION = 3;
/** Largest payload of a control frame: a header block that could not be compressed. Data is not kept, and may be longer. */
export const CONTROL_FRAME_BYTES_MAX: number = HEADER_BLOCK_BYTES_MAX + 1024;
/** How many bytes come before the header block. */
const HEADERS_AT = { [FrameType.synStream]: 10, [FrameType.synReply]: 4, [FrameType.headers]: 4 } as const;

/** Takes what the other end sends, in any pieces, apart into frames. Throws {@link SpdyError} when the rest cannot be understood. */
export class FrameReader {
  readonly #headers = new HeaderBlockReader();
  #rest: Buffer = Buffer.alloc(0);
  /** What came behind `#rest`, until as much is there as the next frame needs: a frame in small pieces is put together once. */
  #pieces: Uint8Array[] = [];
  #length = 0;
  #needed = 1;
  /** The data frame whose end has not been seen. */
  #data: { readonly streamId: number; readonly fin: boolean; left: number } | undefined;

  read(chunk: Uint8Array): readonly Frame[] {
    this.#pieces.push(chunk);
    this.#length += chunk.byteLength;
    if (this.#length < this.#needed) return [];
    this.#rest = Buffer.concat([this.#rest, ...this.#pieces]);
    this.#pieces = [];
    this.#needed = 1;
    const frames: Frame[] = [];
    for (let more = true; more; ) {
      const frame = this.#data === undefined ? this.#next() : this.#dataPart(this.#data);
      more = frame !== undefined;
      if (frame !== undefined && frame !== "unknown") frames.push(frame);
    }
    this.#length = this.#rest.length;
    return frames;
  }

  #next(): Frame | "unknown" | undefined {
    const bytes = this.#rest;
    this.#needed = HEAD_BYTES;
    if (bytes.length < HEAD_BYTES) return undefined;
    const isControl = bytes.readUInt8(0) >= 0x80;
    const flags = bytes.readUInt8(4);
    const length = bytes.readUIntBE(5, 3);
    if (!isControl) {
      this.#rest = bytes.subarray(HEAD_BYTES);
      this.#data = { streamId: bytes.readUInt32BE(0), fin: (flags & FLAG_FIN) !== 0, left: length };
      return this.#dataPart(this.#data);
    }
    if ((bytes.readUInt16BE(0) & 0x7fff) !== VERSION) throw new SpdyError("frame of an unknown version");
    if (length > CONTROL_FRAME_BYTES_MAX) throw new SpdyError(`control frame of ${length} bytes is too long`);
    this.#needed = HEAD_BYTES + length;
    if (bytes.length < this.#needed) return undefined;
    this.#rest = bytes.subarray(HEAD_BYTES + length);
    return this.#control(bytes.readUInt16BE(2), flags, bytes.subarray(HEAD_BYTES, HEAD_BYTES + length));
  }

  #dataPart(frame: { readonly streamId: number; readonly fin: boolean; left: number }): Frame | undefined {
    const data = this.#rest.subarray(0, frame.left);
    this.#needed = 1;
    if (data.length === 0 && frame.left > 0) return undefined;
    this.#rest = this.#rest.subarray(data.length);
    frame.left -= data.length;
    if (frame.left === 0) this.#data = undefined;
    return { type: "data", streamId: frame.streamId, data, fin: frame.fin && frame.left === 0 };
  }

  #control(type: number, flags: number, payload: Buffer): Frame | "unknown" {
    const fin = (flags & FLAG_FIN) !== 0;
    switch (type) {
      case FrameType.synStream: {
        const headers = this.#headers.read(after(payload, HEADERS_AT[type]));
        return { type: "synStream", streamId: id(payload, 0), headers, fin, unidirectional: (flags & FLAG_UNIDIRECTIONAL) !== 0 };
      }
      case FrameType.synReply:
        return { type: "synReply", streamId: id(payload, 0), headers: this.#headers.read(after(payload, HEADERS_AT[type])), fin };
      case FrameType.headers:
        return { type: "headers", streamId: id(payload, 0), headers: this.#headers.read(after(payload, HEADERS_AT[type])), fin };
      case FrameType.rstStream:
        return { type: "rstStream", streamId: id(payload, 0), status: uint32(payload, 4) };
      case FrameType.settings:
        return { type: "settings", initialWindow: initialWindow(payload) };
      case FrameType.ping:
        return { type: "ping", id: uint32(payload, 0) };
      case FrameType.goAway:
        return { type: "goAway", lastStreamId: id(payload, 0), status: uint32(payload, 4) };
      case FrameType.windowUpdate:
        return { type: "windowUpdate", streamId: id(payload, 0), delta: id(payload, 4) };
      default:
        // What is not known is to be passed over (section 2.2.1).
        return "unknown";
    }
  }
}

function after(payload: Buffer, start: number): Buffer {
  if (payload.length < start) throw new SpdyError("control frame: cut off");
  return payload.subarray(start);
}

function uint32(payload: Buffer, at: number): number {
  return after(payload, at + 4).length >= 0 ? payload.readUInt32BE(at) : 0;
}

/** The highest bit says nothing. */
function id(payload: Buffer, at: number): number {
  return uint32(payload, at) & 0x7fffffff;
}

function initialWindow(payload: Buffer): number | undefined {
  const count = uint32(payload, 0);
  if (payload.length !== 4 + 8 * count) throw new SpdyError("settings: wrong length");
  for (let at = 4; at < payload.length; at += 8) {
    if ((uint32(payload, at) & 0xffffff) === SETTING_INITIAL_WINDOW) return id(payload, at + 4);
  }
  return undefined;
}
