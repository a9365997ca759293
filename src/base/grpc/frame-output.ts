import { FRAME_BYTES } from "./http2-frames.ts";

/** Frames are put together in blocks of this size; one that is spent is left to whom its parts were given. */
const BLOCK_BYTES = 64 * 1024;
/** What is larger goes out from where it is: to copy it costs more than a further piece. */
const COPIED_BYTES_MAX = 8 * 1024;

/**
 * Frames on their way out, side by side in as few pieces as can be: a buffer for the head of each, and one for all together at the
 * end, cost more than a small call's own bytes.
 */
export class FrameOutput {
  #block: Buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;
  #pieces: Buffer[] = [];

  /** Adds a frame. The payload may be kept, and must not change. */
  frame(type: number, flags: number, stream: number, payload?: Buffer): void {
    const length = payload === undefined ? 0 : payload.length;
    this.#reserve(FRAME_BYTES);
    const block = this.#block;
    const at = this.#to;
    block[at] = length >>> 16;
    block[at + 1] = length >>> 8;
    block[at + 2] = length;
    block[at + 3] = type;
    block[at + 4] = flags;
    block[at + 5] = stream >>> 24;
    block[at + 6] = stream >>> 16;
    block[at + 7] = stream >>> 8;
    block[at + 8] = stream;
    this.#to = at + FRAME_BYTES;
    if (payload !== undefined) this.bytes(payload);
  }

  /** Adds bytes as they are. They may be kept, and must not change. */
  bytes(bytes: Buffer): void {
    if (bytes.length > COPIED_BYTES_MAX) {
      this.#cut();
      this.#pieces.push(bytes);
      return;
    }
    this.#reserve(bytes.length);
    this.#block.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  /** All that was added since this was last called, in its order. */
  take(): readonly Buffer[] {
    this.#cut();
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }

  #reserve(length: number): void {
    if (this.#block.length - this.#to >= length) return;
    this.#cut();
    this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.#from = 0;
    this.#to = 0;
  }

  #cut(): void {
    if (this.#to > this.#from) this.#pieces.push(this.#block.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}
