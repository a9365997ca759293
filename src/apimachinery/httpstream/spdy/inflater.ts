import { HEADER_DICTIONARY, HEADER_DICTIONARY_ID } from "./dictionary.ts";
import { codeOf, HuffmanTable } from "./huffman-table.ts";
import { SpdyError } from "./spdy-error.ts";

/** How far back a match may reach (RFC 1951, section 2). */
const WINDOW_BYTES = 32 * 1024;

const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289,
  16385, 24577,
];
const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
/** In which order the lengths of the code length codes come. */
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

const END_OF_BLOCK = 256;
/** Symbols of bytes, of the end and of lengths that a block may have. */
const LITERALS_MAX = 286;

const FIXED_LITERALS = new HuffmanTable(Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)));
const FIXED_DISTANCES = new HuffmanTable(new Array<number>(32).fill(5));

/**
 * Takes one connection's header blocks, which are pieces of one zlib stream (RFC 1950), apart. A piece ends on a whole
 * byte after a flush, as SPDY wants it; `node:zlib` gives no piece before the event loop has turned, and frames would
 * have to wait.
 */
export class Inflater {
  readonly #limit: number;
  /** What later pieces may refer to. */
  #history: Uint8Array = HEADER_DICTIONARY;
  #begun = false;

  /** `limit` is how many bytes one piece may become. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What the next piece says. Throws {@link SpdyError} when it is damaged or says too much. */
  inflate(piece: Uint8Array): Buffer {
    let start = 0;
    if (!this.#begun) {
      start = checkStreamHeader(piece);
      this.#begun = true;
    }
    const state = new Piece(piece, start, this.#history, this.#limit);
    while (!state.ended) readBlock(state);
    this.#history = state.history();
    return state.output();
  }
}

/** Two bytes, and the dictionary's name when there is one. */
function checkStreamHeader(piece: Uint8Array): number {
  const [method = 0, flags = 0] = piece;
  if ((method & 0x0f) !== 8 || (method * 256 + flags) % 31 !== 0) throw new SpdyError("header block: not a zlib stream");
  if ((flags & 0x20) === 0) return 2;
  const named = piece.length < 6 ? 0 : Buffer.from(piece.buffer, piece.byteOffset, piece.length).readUInt32BE(2);
  if (named !== HEADER_DICTIONARY_ID) throw new SpdyError("header block: unknown dictionary");
  return 6;
}

/** One piece while it is taken apart: bits on one side, bytes behind the history on the other. */
class Piece {
  readonly #input: Uint8Array;
  readonly #historyLength: number;
  readonly #limit: number;
  #at: number;
  #bits = 0;
  #bitCount = 0;
  #bytes: Uint8Array;
  #length: number;

  constructor(input: Uint8Array, start: number, history: Uint8Array, limit: number) {
    this.#input = input;
    this.#at = start;
    this.#historyLength = history.length;
    this.#limit = limit;
    this.#bytes = new Uint8Array(history.length + 4 * input.length + 64);
    this.#bytes.set(history);
    this.#length = history.length;
  }

  /** Nothing is left but the rest of the last byte. */
  get ended(): boolean {
    return this.#at >= this.#input.length && this.#bitCount < 8;
  }

  bits(count: number): number {
    while (this.#bitCount < count) {
      const byte = this.#input[this.#at++];
      if (byte === undefined) throw new SpdyError("header block: cut off");
      this.#bits |= byte << this.#bitCount;
      this.#bitCount += 8;
    }
    const value = this.#bits & ((1 << count) - 1);
    this.#bits >>>= count;
    this.#bitCount -= count;
    return value;
  }

  /** Bytes as they stand, from the next whole byte on. */
  stored(): void {
    this.#bits = 0;
    this.#bitCount = 0;
    const count = this.bits(8) | (this.bits(8) << 8);
    const check = this.bits(8) | (this.bits(8) << 8);
    if ((count ^ check) !== 0xffff) throw new SpdyError("header block: damaged");
    if (this.#at + count > this.#input.length) throw new SpdyError("header block: cut off");
    for (let i = 0; i < count; i++) this.literal(this.#input[this.#at++] ?? 0);
  }

  literal(byte: number): void {
    if (this.#length - this.#historyLength >= this.#limit) {
      throw new SpdyError(`header block: more than ${this.#limit} bytes`);
    }
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = byte;
  }

  copy(distance: number, count: number): void {
    if (distance > this.#length) throw new SpdyError("header block: refers to what was never sent");
    for (let i = 0; i < count; i++) this.literal(this.#bytes[this.#length - distance] ?? 0);
  }

  output(): Buffer {
    return Buffer.from(this.#bytes.subarray(this.#historyLength, this.#length));
  }

  history(): Uint8Array {
    return this.#bytes.slice(Math.max(0, this.#length - WINDOW_BYTES), this.#length);
  }
}

function readBlock(piece: Piece): void {
  if (piece.bits(1) === 1) throw new SpdyError("header block: the stream of header blocks ends");
  const type = piece.bits(2);
  if (type === 0) piece.stored();
  else if (type === 1) readCodes(piece, FIXED_LITERALS, FIXED_DISTANCES);
  else if (type === 2) readDynamicBlock(piece);
  else throw new SpdyError("header block: damaged");
}

function readDynamicBlock(piece: Piece): void {
  const literals = piece.bits(5) + 257;
  const distances = piece.bits(5) + 1;
  const codes = piece.bits(4) + 4;
  if (literals > LITERALS_MAX || distances > DISTANCE_BASE.length) throw new SpdyError("header block: damaged");
  const codeLengths = new Array<number>(19).fill(0);
  for (const index of CODE_LENGTH_ORDER.slice(0, codes)) codeLengths[index] = piece.bits(3);
  const table = new HuffmanTable(codeLengths);
  const lengths: number[] = [];
  while (lengths.length < literals + distances) {
    const code = codeOf(table, piece);
    if (code < 16) lengths.push(code);
    else {
      const repeated = code === 16 ? lengths.at(-1) : 0;
      if (repeated === undefined) throw new SpdyError("header block: damaged");
      const count = code === 16 ? 3 + piece.bits(2) : code === 17 ? 3 + piece.bits(3) : 11 + piece.bits(7);
      for (let i = 0; i < count; i++) lengths.push(repeated);
    }
  }
  if (lengths.length > literals + distances || lengths[END_OF_BLOCK] === 0) throw new SpdyError("header block: damaged");
  readCodes(piece, new HuffmanTable(lengths.slice(0, literals)), new HuffmanTable(lengths.slice(literals)));
}

function readCodes(piece: Piece, literals: HuffmanTable, distances: HuffmanTable): void {
  for (let code = codeOf(literals, piece); code !== END_OF_BLOCK; code = codeOf(literals, piece)) {
    if (code < 256) piece.literal(code);
    else {
      const count = extended(piece, code - 257, LENGTH_BASE, LENGTH_BITS);
      piece.copy(extended(piece, codeOf(distances, piece), DISTANCE_BASE, DISTANCE_BITS), count);
    }
  }
}

function extended(piece: Piece, index: number, base: readonly number[], bits: readonly number[]): number {
  const [start, count] = [base[index], bits[index]];
  if (start === undefined || count === undefined) throw new SpdyError("header block: damaged");
  return start + piece.bits(count);
}
