import { SpdyError } from "./spdy-error.ts";

/** Longest code, in bits (RFC 1951, section 3.2.7). */
const BITS_MAX = 15;

/** Gives the next bits, lowest first. */
export interface BitSource {
  bits(count: number): number;
}

/** A canonical Huffman code, made of the length of each symbol's code (RFC 1951, section 3.2.2). */
export class HuffmanTable {
  /** How many codes there are of each length. */
  readonly counts: readonly number[];
  /** Symbols in the order of their codes. */
  readonly symbols: readonly number[];

  /** Throws when there are more codes than lengths allow, or fewer; as zlib, which lets a code of one symbol or none pass. */
  constructor(lengths: readonly number[]) {
    const counts = new Array<number>(BITS_MAX + 1).fill(0);
    for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
    counts[0] = 0;
    let left = 1;
    for (let length = 1; length <= BITS_MAX; length++) {
      left = left * 2 - (counts[length] ?? 0);
      if (left < 0) throw new SpdyError("header block: damaged");
    }
    if (left > 0 && counts.some((count, length) => count > 0 && length > 1)) throw new SpdyError("header block: damaged");
    this.counts = counts;
    this.symbols = [...lengths.keys()]
      .filter((symbol) => lengths[symbol] !== 0)
      .sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  }
}

/** The symbol that the next bits stand for. */
export function codeOf(table: HuffmanTable, source: BitSource): number {
  let code = 0;
  let first = 0;
  let index = 0;
  for (let length = 1; length <= BITS_MAX; length++) {
    code |= source.bits(1);
    const count = table.counts[length] ?? 0;
    const symbol = code - first < count ? table.symbols[index + code - first] : undefined;
    if (symbol !== undefined) return symbol;
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  throw new SpdyError("header block: damaged");
}
