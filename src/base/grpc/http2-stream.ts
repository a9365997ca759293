import type { Header } from "./hpack.ts";

/** What comes back on a stream. */
export interface Http2Handlers {
  /** Called for the head of the answer, and for its trailers. */
  onHeaders(headers: readonly Header[]): void;
  /** The bytes are a view of what came in. */
  onData(bytes: Buffer): void;
  /** Called once. No reason means that the server ended it in order; `unsent` that it has surely not looked at it. */
  onEnd(reason: string | undefined, unsent: boolean): void;
}

/** A request that is under way. */
export class Http2Stream {
  readonly block: Buffer;
  readonly handlers: Http2Handlers;
  /** 0 until it is its turn. */
  id = 0;
  window = 0;
  received = 0;
  /** Its first frame is with the operating system. */
  isFlushed = false;
  isFinished = false;
  isOver = false;
  readonly unsentData: Buffer[] = [];

  constructor(block: Buffer, handlers: Http2Handlers) {
    this.block = block;
    this.handlers = handlers;
  }
}
