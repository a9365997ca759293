import type { Readable, Writable } from "node:stream";

/** Where a simulated program reads. */
export interface Input {
  /** The next bytes; undefined at the end. */
  read(): Promise<Buffer | undefined>;
}

/** Where a simulated program writes. */
export interface Output {
  /** Resolves when more may be written; rejects with {@link BrokenPipeError} when nobody reads any more. */
  write(data: Uint8Array | string): Promise<void>;
}

/** Nobody reads what is written. */
export class BrokenPipeError extends Error {
  override readonly name = "BrokenPipeError";
}

/** How much may wait in a pipe, in bytes, as in Linux; and what a piece counts for at least. */
const PIPE_BYTES_MAX: number = 64 * 1024;
const CHUNK_BYTES_MIN = 64;

/** No input. */
export const NO_INPUT: Input = { read: async () => undefined };
/** Output that nobody sees. */
export const NO_OUTPUT: Output = { write: async () => {} };

/** Bytes from one program to another, with back-pressure. */
export class BytePipe implements Input, Output {
  #chunks: Buffer[] = [];
  #length = 0;
  #ended = false;
  #broken = false;
  #wakeReaders: (() => void)[] = [];
  #wakeWriters: (() => void)[] = [];

  async read(): Promise<Buffer | undefined> {
    while (this.#chunks.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => this.#wakeReaders.push(resolve));
    }
    const chunk = this.#chunks.shift();
    this.#length -= chunk === undefined ? 0 : weightOf(chunk);
    this.#wake();
    return chunk;
  }

  async write(data: Uint8Array | string): Promise<void> {
    const chunk = typeof data === "string" ? Buffer.from(data) : Buffer.from(data);
    if (chunk.length === 0) return;
    while (this.#length >= PIPE_BYTES_MAX && !this.#broken) {
      await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
    }
    if (this.#broken) throw new BrokenPipeError();
    this.#chunks.push(chunk);
    this.#length += weightOf(chunk);
    this.#wakeReader();
  }

  /** No more will be written. */
  end(): void {
    this.#ended = true;
    this.#wakeReader();
  }

  /** No more will be read. */
  breakOff(): void {
    this.#broken = true;
    this.#wake();
  }

  #wakeReader(): void {
    for (const wake of this.#wakeReaders.splice(0)) wake();
  }

  #wake(): void {
    for (const wake of this.#wakeWriters.splice(0)) wake();
  }
}

function weightOf(chunk: Buffer): number {
  return Math.max(CHUNK_BYTES_MIN, chunk.length);
}

/** A stream of Node as input. */
export function inputFrom(stream: Readable | undefined): Input {
  if (stream === undefined) return NO_INPUT;
  return {
    async read() {
      for (;;) {
        const chunk = stream.read() as Buffer | null;
        if (chunk !== null) return chunk;
        if (stream.readableEnded || stream.destroyed) return undefined;
        await new Promise<void>((resolve) => {
          const done = (): void => {
            for (const event of ["readable", "end", "close", "error"]) stream.off(event, done);
            resolve();
          };
          for (const event of ["readable", "end", "close", "error"]) stream.once(event, done);
        });
      }
    },
  };
}

/** A stream of Node as output. */
export function outputTo(stream: Writable | undefined): Output {
  if (stream === undefined) return NO_OUTPUT;
  return {
    write(data) {
      if (stream.destroyed || stream.writableEnded) return Promise.reject(new BrokenPipeError());
      if (stream.write(data)) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          stream.off("drain", done).off("close", done);
          resolve();
        };
        stream.once("drain", done).once("close", done);
      });
    },
  };
}
