import { END_HEADERS, FRAME_BYTES, FRAME_PAYLOAD_MAX, Frame, unpadded } from "./http2-frames.ts";

/** Largest header block that is put together of several frames. */
const HEADER_BLOCK_BYTES_MAX = 64 * 1024;

/** Receives a frame. The payload is a view of what came in; of headers it is the whole block, without padding. */
export type OnFrame = (type: number, flags: number, stream: number, payload: Buffer) => void;

/** What comes in on an HTTP/2 connection, as frames. */
export class FrameInput {
  readonly #onFrame: OnFrame;
  #rest: Buffer | undefined;
  /** A header block of which more is to come. */
  #block: { readonly stream: number; readonly flags: number; readonly parts: Buffer[]; bytes: number } | undefined;
  #isStopped = false;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** Hands on all frames that are whole now. Throws a RangeError where the bytes are no frames. */
  take(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let at = 0;
    while (bytes.length - at >= FRAME_BYTES && !this.#isStopped) {
      const length = bytes.readUIntBE(at, 3);
      if (length > FRAME_PAYLOAD_MAX) throw new RangeError("a frame that is too large");
      const start = at + FRAME_BYTES;
      if (bytes.length < start + length) break;
      const [type = 0, flags = 0, id] = [bytes[at + 3], bytes[at + 4], bytes.readUInt32BE(at + 5) & 0x7fff_ffff];
      at = start + length;
      const payload = bytes.subarray(start, at);
      if (type === Frame.headers) this.#headers(id, flags, unpadded(payload, flags));
      else if (type === Frame.continuation) this.#continuation(id, flags, payload);
      else this.#onFrame(type, flags, id, payload);
    }
    if (at < bytes.length) this.#rest = at === 0 ? bytes : bytes.subarray(at);
  }

  /** Nothing is handed on any more. */
  stop(): void {
    this.#isStopped = true;
  }

  #headers(id: number, flags: number, fragment: Buffer): void {
    if (this.#block !== undefined) throw new RangeError("headers within headers");
    if ((flags & END_HEADERS) !== 0) this.#onFrame(Frame.headers, flags, id, fragment);
    else this.#block = { stream: id, flags, parts: [fragment], bytes: fragment.length };
  }

  #continuation(id: number, flags: number, fragment: Buffer): void {
    const block = this.#block;
    if (block?.stream !== id) throw new RangeError("headers that nothing comes before");
    block.parts.push(fragment);
    block.bytes += fragment.length;
    if (block.bytes > HEADER_BLOCK_BYTES_MAX) throw new RangeError("headers that are too large");
    if ((flags & END_HEADERS) === 0) return;
    this.#block = undefined;
    this.#onFrame(Frame.headers, block.flags, id, Buffer.concat(block.parts));
  }
}
