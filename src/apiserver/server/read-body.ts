import type { Readable } from "node:stream";

const EMPTY: Buffer = Buffer.alloc(0);

/** Reads a stream to its end; undefined when it holds more than `limitBytes`, or breaks off. */
export function readBody(stream: Readable, limitBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    let first: Buffer | undefined;
    let more: Buffer[] | undefined;
    let length = 0;
    let ended = false;
    stream.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > limitBytes) {
        // The rest is read and thrown away, so that the answer reaches clients that write before they read.
        first = undefined;
        more = undefined;
      } else if (first === undefined) first = chunk;
      else if (more === undefined) more = [first, chunk];
      else more.push(chunk);
    });
    stream.on("end", () => {
      ended = true;
      if (length > limitBytes) resolve(undefined);
      else resolve(more === undefined ? (first ?? EMPTY) : Buffer.concat(more, length));
    });
    stream.on("error", () => resolve(undefined));
    // Comes behind every end, too, where a second answer would be told to V8's runtime.
    stream.on("close", () => {
      if (!ended) resolve(undefined);
    });
  });
}
