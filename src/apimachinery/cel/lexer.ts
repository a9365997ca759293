import type { Issue } from "./issues.ts";

/** What a token is: a punctuation or keyword by itself, or a class. */
export type TokenKind = string;

/** One token; `pos` counts code points. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly pos: number;
}

const PUNCTUATION2 = new Set(["==", "!=", "<=", ">=", "&&", "||"]);
const PUNCTUATION1 = new Set("[]{}().,-!?:+*/%<>");
const KEYWORDS = new Set(["in", "true", "false", "null"]);

/** What CEL's lexer makes of a text; what it does not know is reported and left out, as ANTLR does. The last token is `<EOF>`. */
export function tokenize(chars: readonly string[]): { readonly tokens: readonly Token[]; readonly issues: readonly Issue[] } {
  const tokens: Token[] = [];
  const issues: Issue[] = [];
  for (let at = 0; at < chars.length; ) {
    const end = skipBlank(chars, at);
    if (end > at) {
      at = end;
      continue;
    }
    const found = readToken(chars, at);
    const text = chars.slice(at, found.end).join("");
    if (found.kind === undefined) issues.push({ pos: at, message: `Syntax error: token recognition error at: '${text}'` });
    else tokens.push({ kind: found.kind, text, pos: at });
    at = found.end;
  }
  tokens.push({ kind: "<EOF>", text: "<EOF>", pos: chars.length });
  return { tokens, issues };
}

interface Found {
  readonly kind: TokenKind | undefined;
  readonly end: number;
}

function skipBlank(chars: readonly string[], at: number): number {
  let end = at;
  while (end < chars.length && " \t\r\n\f".includes(chars[end] ?? "")) end++;
  if (chars[end] === "/" && chars[end + 1] === "/") {
    while (end < chars.length && chars[end] !== "\n") end++;
  }
  return end;
}

function readToken(chars: readonly string[], at: number): Found {
  const char = chars[at] ?? "";
  const quoted = readString(chars, at);
  if (quoted !== undefined) return quoted;
  if (isLetter(char)) return readIdent(chars, at);
  if (isDigit(char) || (char === "." && isDigit(chars[at + 1]))) return readNumber(chars, at);
  if (char === "`") return readEscaped(chars, at);
  const two = char + (chars[at + 1] ?? "");
  if (PUNCTUATION2.has(two)) return { kind: two, end: at + 2 };
  if (PUNCTUATION1.has(char)) return { kind: char, end: at + 1 };
  // Half an operator takes the character after it along.
  if ("=&|".includes(char) && at + 1 < chars.length) return { kind: undefined, end: at + 2 };
  return { kind: undefined, end: at + 1 };
}

function readIdent(chars: readonly string[], at: number): Found {
  let end = at;
  while (isLetter(chars[end]) || isDigit(chars[end])) end++;
  const text = chars.slice(at, end).join("");
  return { kind: KEYWORDS.has(text) ? text : "IDENTIFIER", end };
}

function readEscaped(chars: readonly string[], at: number): Found {
  let end = at + 1;
  while (end < chars.length && /[A-Za-z0-9_.\-/ ]/.test(chars[end] ?? "")) end++;
  return chars[end] === "`" && end > at + 1
    ? { kind: "ESC_IDENTIFIER", end: end + 1 }
    : { kind: undefined, end: Math.min(end + 1, chars.length) };
}

function readNumber(chars: readonly string[], at: number): Found {
  let end = at;
  const digits = () => {
    while (isDigit(chars[end])) end++;
  };
  if (chars[at] === "0" && chars[at + 1] === "x" && isHex(chars[at + 2])) {
    end = at + 2;
    while (isHex(chars[end])) end++;
    return unsigned(chars, end);
  }
  digits();
  let float = false;
  if (chars[end] === "." && isDigit(chars[end + 1])) {
    float = true;
    end++;
    digits();
  }
  const sign = chars[end + 1] === "+" || chars[end + 1] === "-" ? 1 : 0;
  if ((chars[end] === "e" || chars[end] === "E") && isDigit(chars[end + 1 + sign])) {
    float = true;
    end += 1 + sign;
    digits();
  }
  return float ? { kind: "NUM_FLOAT", end } : unsigned(chars, end);
}

function unsigned(chars: readonly string[], end: number): Found {
  return chars[end] === "u" || chars[end] === "U" ? { kind: "NUM_UINT", end: end + 1 } : { kind: "NUM_INT", end };
}

function readString(chars: readonly string[], at: number): Found | undefined {
  let start = at;
  let bytes = false;
  let raw = false;
  if (/[bB]/.test(chars[start] ?? "")) {
    bytes = true;
    start++;
  }
  if (/[rR]/.test(chars[start] ?? "")) {
    raw = true;
    start++;
  }
  const quote = chars[start];
  if (quote !== '"' && quote !== "'") return undefined;
  const triple = chars[start + 1] === quote && chars[start + 2] === quote;
  const close = triple ? 3 : 1;
  for (let end = start + close; end < chars.length; end++) {
    const char = chars[end];
    if (char === quote && (!triple || (chars[end + 1] === quote && chars[end + 2] === quote))) {
      return { kind: bytes ? "BYTES" : "STRING", end: end + close };
    }
    if (!triple && (char === "\n" || char === "\r")) return { kind: undefined, end: end + 1 };
    if (char === "\\" && !raw) {
      const length = escapeLength(chars, end);
      if (length < 0) return { kind: undefined, end: Math.min(end - length + 1, chars.length) };
      end += length - 1;
    }
  }
  return { kind: undefined, end: chars.length };
}

/** How long an escape is; negative: how far it is one. */
function escapeLength(chars: readonly string[], at: number): number {
  const kind = chars[at + 1] ?? "";
  if ("abfnrtv\"'\\?`".includes(kind) && kind !== "") return 2;
  const digits = kind === "x" || kind === "X" ? 2 : kind === "u" ? 4 : kind === "U" ? 8 : 0;
  for (let index = 0; index < digits; index++) if (!isHex(chars[at + 2 + index])) return -(2 + index);
  if (digits > 0) return 2 + digits;
  if (!/[0-3]/.test(kind)) return -1;
  for (let index = 2; index < 4; index++) if (!/[0-7]/.test(chars[at + index] ?? "")) return -index;
  return 4;
}

function isLetter(char: string | undefined): boolean {
  return char !== undefined && /^[A-Za-z_]$/.test(char);
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= "0" && char <= "9";
}

function isHex(char: string | undefined): boolean {
  return char !== undefined && /^[0-9A-Fa-f]$/.test(char);
}
