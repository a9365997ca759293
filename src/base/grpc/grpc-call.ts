import { GrpcError, UNAVAILABLE } from "./grpc-error.ts";
import type { Header } from "./hpack.ts";
import type { Http2Handlers } from "./http2-stream.ts";
import { FRAME_HEAD_BYTES } from "./message-writer.ts";

/** Code of a call that succeeded. */
const OK = 0;

/** What comes back of one call: messages out of frames, and how it went out of trailers. */
export class GrpcCall implements Http2Handlers {
  readonly #url: string;
  readonly #messages: MessageReader;
  readonly #ended: (error?: GrpcError) => void;
  #code: number | undefined;
  #text = "";

  /** `ended` is called once, without an error where the server has said that all is well. */
  constructor(url: string, onMessage: (message: Buffer) => void, ended: (error?: GrpcError) => void) {
    this.#url = url;
    this.#messages = new MessageReader(onMessage);
    this.#ended = ended;
  }

  onHeaders(headers: readonly Header[]): void {
    const status = headerOf(headers, "grpc-status");
    if (status !== undefined) {
      this.#code = Number(status);
      this.#text = headerOf(headers, "grpc-message") ?? "";
      return;
    }
    const http = headerOf(headers, ":status");
    if (http === undefined || http === "200") return;
    this.#code = UNAVAILABLE;
    this.#text = `unexpected HTTP status ${http}`;
  }

  onData(bytes: Buffer): void {
    this.#messages.push(bytes);
  }

  onEnd(reason: string | undefined, unsent: boolean): void {
    if (this.#code === OK) this.#ended();
    else if (this.#code !== undefined) this.#ended(new GrpcError(this.#code, decodeMessage(this.#text)));
    else this.#ended(new GrpcError(UNAVAILABLE, reason ?? `the connection to ${this.#url} was lost`, unsent));
  }
}

function headerOf(headers: readonly Header[], wanted: string): string | undefined {
  for (const [name, value] of headers) if (name === wanted) return value;
  return undefined;
}

/** gRPC's messages are percent-encoded. */
function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Puts messages together from the pieces that they come in. */
class MessageReader {
  readonly #onMessage: (message: Buffer) => void;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): void {
    // One message in one piece, as small ones come.
    if (this.#length === 0 && chunk.length >= FRAME_HEAD_BYTES && chunk.length === FRAME_HEAD_BYTES + chunk.readUInt32BE(1)) {
      this.#onMessage(chunk.subarray(FRAME_HEAD_BYTES));
      return;
    }
    this.#parts.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= FRAME_HEAD_BYTES) {
      const size = FRAME_HEAD_BYTES + this.#head().readUInt32BE(1);
      if (this.#length < size) return;
      const whole = this.#join();
      this.#parts = whole.length === size ? [] : [whole.subarray(size)];
      this.#length -= size;
      this.#onMessage(whole.subarray(FRAME_HEAD_BYTES, size));
    }
  }

  #head(): Buffer {
    const [first] = this.#parts;
    return first !== undefined && first.length >= FRAME_HEAD_BYTES ? first : this.#join();
  }

  #join(): Buffer {
    const [first] = this.#parts;
    const whole = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts, this.#length);
    this.#parts = [whole];
    return whole;
  }
}
