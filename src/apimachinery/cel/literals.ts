import { Uint } from "./values.ts";

const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;

/** The value of an integer literal with its sign; undefined where it does not fit into 64 bits. */
export function intLiteral(text: string, negative: boolean): bigint | undefined {
  const value = negative ? -BigInt(text) : BigInt(text);
  return value > INT_MAX || value < -INT_MAX - 1n ? undefined : value;
}

/** The value of `5u`. */
export function uintLiteral(text: string): Uint | undefined {
  const value = BigInt(text.slice(0, -1));
  return value > UINT_MAX ? undefined : new Uint(value);
}

/** The value of `1.5`; undefined where it is beyond what a double holds. */
export function doubleLiteral(text: string, negative: boolean): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) ? (negative ? -value : value) : undefined;
}

const SIMPLE: Record<string, string> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "`": "`",
  "?": "?",
};

/** The text of a string literal, without its quotes and escapes. The lexer has seen that they are well formed. */
export function stringLiteral(token: string): string | Error {
  const { body, raw } = unquote(token);
  if (raw) return body;
  let bad: Error | undefined;
  const text = body.replace(ESCAPE, (_, sequence: string) => {
    const simple = SIMPLE[sequence];
    if (simple !== undefined) return simple;
    const point = codePoint(sequence);
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) bad = new Error("invalid unicode code point");
    return bad === undefined ? String.fromCodePoint(point) : "";
  });
  return bad ?? text;
}

/** The bytes of a bytes literal: `\x` and octal escapes are bytes, everything else is UTF-8. */
export function bytesLiteral(token: string): Uint8Array | Error {
  const { body, raw } = unquote(token.slice(1));
  if (raw) return new TextEncoder().encode(body);
  const parts: Uint8Array[] = [];
  let last = 0;
  let bad: Error | undefined;
  for (const match of body.matchAll(ESCAPE)) {
    parts.push(new TextEncoder().encode(body.slice(last, match.index)));
    last = match.index + match[0].length;
    const sequence = match[1] ?? "";
    const simple = SIMPLE[sequence];
    if (simple !== undefined) parts.push(new TextEncoder().encode(simple));
    else if (/^[uU]/.test(sequence)) bad = new Error("invalid escape sequence: unable to unescape \\u or \\U in bytes literal");
    else parts.push(Uint8Array.of(codePoint(sequence)));
  }
  parts.push(new TextEncoder().encode(body.slice(last)));
  return bad ?? new Uint8Array(parts.flatMap((part) => [...part]));
}

const ESCAPE = /\\([xX][0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[0-3][0-7]{2}|.)/gs;

function codePoint(sequence: string): number {
  return /^[0-3]/.test(sequence) ? Number.parseInt(sequence, 8) : Number.parseInt(sequence.slice(1), 16);
}

function unquote(token: string): { body: string; raw: boolean } {
  const raw = /^[rR]/.test(token);
  const quoted = (raw ? token.slice(1) : token).replaceAll("\r\n", "\n").replaceAll("\r", "\n");
  const width = /^("""|''')/.test(quoted) && quoted.length >= 6 ? 3 : 1;
  return { body: quoted.slice(width, -width), raw };
}
