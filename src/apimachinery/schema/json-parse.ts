import { JsonMembers, type JsonNode, JsonNumber } from "./json-node.ts";

/** Go's limit on nesting. */
const MAX_DEPTH = 10_000;

/** A fault in JSON text, with the message of Go's scanner. */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
}

/** Reads JSON text without loss. Throws {@link JsonSyntaxError} with Go's message. */
export function parseJsonNodes(text: string): JsonNode {
  return new NodeParser(text).document();
}

class NodeParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonNode {
    const node = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#bad("after top-level value");
    return node;
  }

  #space(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const c = this.#text.charCodeAt(this.#at);
      if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return;
    }
  }

  /** The next character that is no space. */
  #next(): string {
    this.#space();
    if (this.#at >= this.#text.length) throw endOfInput();
    return this.#text.charAt(this.#at);
  }

  #bad(context: string): JsonSyntaxError {
    if (this.#at >= this.#text.length) return endOfInput();
    return new JsonSyntaxError(`invalid character ${quoteByte(this.#text, this.#at)} ${context}`);
  }

  #value(): JsonNode {
    const c = this.#next();
    switch (c) {
      case "{":
        return this.#nested(() => this.#object());
      case "[":
        return this.#nested(() => this.#array());
      case '"':
        return this.#string();
      case "t":
        return this.#literal("true", true);
      case "f":
        return this.#literal("false", false);
      case "n":
        return this.#literal("null", null);
      default:
        if (c === "-" || (c >= "0" && c <= "9")) return this.#number();
        throw this.#bad("looking for beginning of value");
    }
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new JsonSyntaxError("exceeded max depth");
    const node = read();
    this.#depth--;
    return node;
  }

  #object(): JsonMembers {
    const entries: [string, JsonNode][] = [];
    this.#at++;
    if (this.#next() === "}") {
      this.#at++;
      return new JsonMembers(entries);
    }
    for (;;) {
      if (this.#next() !== '"') throw this.#bad("looking for beginning of object key string");
      const key = this.#string();
      if (this.#next() !== ":") throw this.#bad("after object key");
      this.#at++;
      entries.push([key, this.#value()]);
      const c = this.#next();
      if (c !== "," && c !== "}") throw this.#bad("after object key:value pair");
      this.#at++;
      if (c === "}") return new JsonMembers(entries);
    }
  }

  #array(): JsonNode[] {
    const items: JsonNode[] = [];
    this.#at++;
    if (this.#next() === "]") {
      this.#at++;
      return items;
    }
    for (;;) {
      items.push(this.#value());
      const c = this.#next();
      if (c !== "," && c !== "]") throw this.#bad("after array element");
      this.#at++;
      if (c === "]") return items;
    }
  }

  #literal<T>(word: string, value: T): T {
    for (let i = 0; i < word.length; i++, this.#at++) {
      if (this.#text[this.#at] !== word[i]) throw this.#bad(`in literal ${word} (expecting '${word.charAt(i)}')`);
    }
    return value;
  }

  #string(): string {
    const start = this.#at++;
    for (;;) {
      const c = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(c)) throw endOfInput();
      if (c < 32) throw this.#bad("in string literal");
      this.#at++;
      if (c === 34) return wellFormed(JSON.parse(this.#text.slice(start, this.#at)) as string);
      if (c === 92) this.#escape();
    }
  }

  #escape(): void {
    const c = this.#text[this.#at];
    if (c === undefined || !'"\\/bfnrtu'.includes(c)) throw this.#bad("in string escape code");
    this.#at++;
    if (c !== "u") return;
    for (let i = 0; i < 4; i++, this.#at++) {
      if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? " ")) throw this.#bad("in \\u hexadecimal character escape");
    }
  }

  #number(): JsonNumber {
    const start = this.#at;
    if (this.#text[this.#at] === "-") {
      this.#at++;
      if (!this.#isDigit()) throw this.#bad("in numeric literal");
    }
    if (this.#text[this.#at] === "0") this.#at++;
    else this.#digits();
    if (this.#text[this.#at] === ".") {
      this.#at++;
      if (!this.#isDigit()) throw this.#bad("after decimal point in numeric literal");
      this.#digits();
    }
    if (this.#text[this.#at] === "e" || this.#text[this.#at] === "E") {
      this.#at++;
      if (this.#text[this.#at] === "+" || this.#text[this.#at] === "-") this.#at++;
      if (!this.#isDigit()) throw this.#bad("in exponent of numeric literal");
      this.#digits();
    }
    return new JsonNumber(this.#text.slice(start, this.#at));
  }

  #isDigit(): boolean {
    const c = this.#text.charCodeAt(this.#at);
    return c >= 48 && c <= 57;
  }

  #digits(): void {
    while (this.#isDigit()) this.#at++;
  }
}

/** Halves of surrogate pairs that stand alone become U+FFFD, as in Go. */
function wellFormed(text: string): string {
  return /[\ud800-\udfff]/.test(text) ? Buffer.from(text, "utf8").toString("utf8") : text;
}

function endOfInput(): JsonSyntaxError {
  return new JsonSyntaxError("unexpected end of JSON input");
}

/** Go's scanner sees bytes: of a character beyond ASCII only the first one is told. */
function quoteByte(text: string, at: number): string {
  let code = text.codePointAt(at) ?? 0;
  if (code > 0x7f) code = code < 0x800 ? 0xc0 | (code >> 6) : code < 0x10000 ? 0xe0 | (code >> 12) : 0xf0 | (code >> 18);
  const short: Record<number, string> = { 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r" };
  if (code === 39) return "'\\''";
  if (code === 34) return "'\"'";
  if (code === 92) return "'\\\\'";
  const printable = (code >= 32 && code < 127) || (code > 160 && code !== 173);
  const shown = printable
    ? String.fromCodePoint(code)
    : (short[code] ?? (code < 128 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`));
  return `'${shown}'`;
}
