import { HEADER_DICTIONARY_ID } from "./dictionary.ts";
import { Inflater } from "./inflater.ts";
import { SpdyError } from "./spdy-error.ts";

/** The headers of a stream by their names in lower case; several values of one name have a NUL between them. */
export type StreamHeaders = ReadonlyMap<string, string>;

/** Largest header block, in bytes after decompression. */
export const HEADER_BLOCK_BYTES_MAX: number = 64 * 1024;

/** A zlib stream with a dictionary begins like this (RFC 1950, section 2.2). */
const STREAM_START = Buffer.from([0x78, 0x20, 0, 0, 0, 0]);
STREAM_START.writeUInt32BE(HEADER_DICTIONARY_ID, 2);
/** An empty block, by which whoever decompresses knows that nothing is withheld. */
const FLUSH = Buffer.from([0, 0, 0, 0xff, 0xff]);

/**
 * Writes header blocks. They are pieces of one zlib stream, which is allowed to hold bytes as they stand: streams have
 * few and short headers, and there would be little to gain by compression.
 */
export class HeaderBlockWriter {
  #begun = false;

  write(headers: StreamHeaders): Buffer {
    const pairs = [...headers].flatMap(([name, value]) => [counted(name.toLowerCase()), counted(value)]);
    const block = Buffer.concat([uint32(headers.size), ...pairs]);
    if (block.length > HEADER_BLOCK_BYTES_MAX - 1) throw new SpdyError(`a header block of ${block.length} bytes is too long`);
    const start = Buffer.alloc(5);
    start.writeUInt16LE(block.length, 1);
    start.writeUInt16LE(block.length ^ 0xffff, 3);
    const parts = [...(this.#begun ? [] : [STREAM_START]), start, block, FLUSH];
    this.#begun = true;
    return Buffer.concat(parts);
  }
}

/** Reads header blocks in the order in which they were sent. Throws {@link SpdyError} for those that are none. */
export class HeaderBlockReader {
  readonly #inflater = new Inflater(HEADER_BLOCK_BYTES_MAX);

  read(compressed: Uint8Array): StreamHeaders {
    const block = this.#inflater.inflate(compressed);
    const headers = new Map<string, string>();
    let at = 0;
    const number = (): number => {
      if (at + 4 > block.length) throw new SpdyError("header block: cut off");
      at += 4;
      return block.readUInt32BE(at - 4);
    };
    const text = (): string => {
      const length = number();
      if (at + length > block.length) throw new SpdyError("header block: cut off");
      at += length;
      return block.toString("utf8", at - length, at);
    };
    for (let count = number(); count > 0; count--) {
      const name = text();
      if (name === "" || name !== name.toLowerCase()) throw new SpdyError(`header block: bad name ${JSON.stringify(name)}`);
      if (headers.has(name)) throw new SpdyError(`header block: ${JSON.stringify(name)} comes twice`);
      headers.set(name, text());
    }
    return headers;
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  return Buffer.concat([uint32(bytes.length), bytes]);
}
