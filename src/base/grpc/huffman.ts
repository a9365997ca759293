/**
 * How many bits each byte takes in HPACK's code (RFC 7541, appendix B), then the sign that ends a text. The code is canonical: within a length
 * the signs are numbered in their order, so that the lengths say it all.
 */
const LENGTHS: readonly number[] = [
  ...[
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28,
    28,
  ],
  ...[6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  ...[13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  ...[15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
  ...[
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23,
    24,
  ],
  ...[
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22,
    23,
  ],
  ...[
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
    27,
  ],
  ...[
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27,
    26,
  ],
  30,
];
const END = 256;
const LENGTH_MAX = 30;
/** A text ends with fewer than eight bits of padding. */
const PADDING_BITS_MAX = 7;

/** The signs of one length in their order, and the code of the first. */
interface Level {
  readonly first: number;
  readonly signs: readonly number[];
}

const levels: readonly Level[] = levelsOf();

function levelsOf(): Level[] {
  const made: Level[] = [];
  let next = 0;
  for (let length = 0; length <= LENGTH_MAX; length++) {
    const signs = LENGTHS.flatMap((bits, sign) => (bits === length ? [sign] : []));
    made.push({ first: next, signs });
    next = (next + signs.length) * 2;
  }
  return made;
}

/** Reads a text in HPACK's code. Throws `RangeError` for what is none. */
export function huffmanText(bytes: Uint8Array): string {
  const text: number[] = [];
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1);
      const level = levels[++length];
      if (level === undefined) throw new RangeError("no sign has so many bits");
      const sign = level.signs[code - level.first];
      if (sign === undefined) continue;
      if (sign === END) throw new RangeError("a text that ends within itself");
      text.push(sign);
      code = 0;
      length = 0;
    }
  }
  // The padding is the beginning of the sign that ends a text: all ones.
  if (length > PADDING_BITS_MAX || code !== 2 ** length - 1) throw new RangeError("wrong padding");
  return Buffer.from(text).toString("latin1");
}
