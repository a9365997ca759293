/** A piece of a word. What was quoted is neither split nor dropped when it is empty. */
export type WordPart =
  | { readonly kind: "text"; readonly text: string; readonly quoted: boolean }
  | { readonly kind: "variable"; readonly name: string; readonly fallback: string | undefined; readonly quoted: boolean }
  | { readonly kind: "command"; readonly script: string; readonly quoted: boolean }
  | { readonly kind: "arithmetic"; readonly expression: string; readonly quoted: boolean };

/** A word before its variables have values. */
export type Word = readonly WordPart[];

/** What a script is made of. */
export type Token = { readonly type: "word"; readonly word: Word } | { readonly type: "operator"; readonly text: string };

/** The script cannot be understood. */
export class ShellSyntaxError extends Error {
  override readonly name = "ShellSyntaxError";
}

/** Longest first. */
const OPERATORS = ["2>&1", "1>&2", "2>>", "&&", "||", ">&2", "2>", "1>", ">>", ";", "|", "&", "\n", "(", ")", ">", "<"];
const NAME = /[A-Za-z_][A-Za-z0-9_]*|[0-9?$#@!*]/y;
const SPACE = /(?:[ \t\r]|\\\n)+/y;
const COMMENT = /#[^\n]*/y;
const PLAIN = /[^ \t\r\n;|&()<>'"\\$`]+/y;
const PLAIN_IN_QUOTES = /[^"\\$`]+/y;
/** Longest script, in characters. */
const SCRIPT_LENGTH_MAX: number = 512 * 1024;

/** Takes a script apart into words and operators. Throws {@link ShellSyntaxError}. */
export function tokenize(script: string): readonly Token[] {
  if (script.length > SCRIPT_LENGTH_MAX) throw new ShellSyntaxError("script too long");
  const tokens: Token[] = [];
  const reader = new WordReader(script);
  while (!reader.atEnd) {
    if (reader.take(SPACE) !== "" || reader.take(COMMENT) !== "") continue;
    const operator = OPERATORS.find((text) => reader.startsWith(text));
    if (operator !== undefined) {
      reader.skipText(operator);
      tokens.push({ type: "operator", text: operator });
    } else tokens.push({ type: "word", word: reader.word() });
  }
  return tokens;
}

class WordReader {
  readonly #script: string;
  #at = 0;

  constructor(script: string) {
    this.#script = script;
  }

  get atEnd(): boolean {
    return this.#at >= this.#script.length;
  }

  startsWith(text: string): boolean {
    return this.#script.startsWith(text, this.#at);
  }

  skipText(text: string): void {
    this.#at += text.length;
  }

  /** What a pattern that looks only here has found; it is passed over. */
  take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [found = ""] = pattern.exec(this.#script) ?? [];
    this.#at += found.length;
    return found;
  }

  word(): Word {
    const parts: WordPart[] = [];
    while (!this.atEnd && !/[ \t\r\n;|&()<>]/.test(this.#script[this.#at] ?? "")) {
      const char = this.#script[this.#at] ?? "";
      if (char === "'") {
        const end = this.#end("'", this.#at + 1);
        parts.push({ kind: "text", text: this.#script.slice(this.#at + 1, end), quoted: true });
        this.#at = end + 1;
      } else if (char === '"') this.#doubleQuoted(parts);
      else if (char === "\\") {
        parts.push({ kind: "text", text: this.#script[this.#at + 1] ?? "", quoted: true });
        this.#at += 2;
      } else if (char === "$" || char === "`") parts.push(this.#expansion(false));
      else {
        parts.push({ kind: "text", text: this.take(PLAIN), quoted: false });
      }
    }
    return parts;
  }

  #doubleQuoted(parts: WordPart[]): void {
    this.#at++;
    parts.push({ kind: "text", text: "", quoted: true });
    while (this.#script[this.#at] !== '"') {
      if (this.atEnd) throw new ShellSyntaxError("unterminated quoted string");
      const char = this.#script[this.#at] ?? "";
      if (char === "$" || char === "`") parts.push(this.#expansion(true));
      else if (char === "\\") {
        const next = this.#script[this.#at + 1] ?? "";
        const isEscape = next !== "" && '"\\$`\n'.includes(next);
        parts.push({ kind: "text", text: isEscape ? (next === "\n" ? "" : next) : char, quoted: true });
        this.#at += isEscape ? 2 : 1;
      } else parts.push({ kind: "text", text: this.take(PLAIN_IN_QUOTES), quoted: true });
    }
    this.#at++;
  }

  #expansion(quoted: boolean): WordPart {
    if (this.startsWith("`")) {
      const end = this.#end("`", this.#at + 1);
      const script = this.#script.slice(this.#at + 1, end);
      this.#at = end + 1;
      return { kind: "command", script, quoted };
    }
    if (this.startsWith("$(")) {
      const script = this.#balanced(this.#at + 2);
      this.#at += script.length + 3;
      if (!script.startsWith("(") || !script.endsWith(")")) return { kind: "command", script, quoted };
      return { kind: "arithmetic", expression: script.slice(1, -1), quoted };
    }
    if (this.startsWith("${")) {
      const end = this.#end("}", this.#at + 2);
      const [name = "", fallback] = this.#script.slice(this.#at + 2, end).split(/:?-(.*)/s);
      this.#at = end + 1;
      return { kind: "variable", name, fallback, quoted };
    }
    this.#at++;
    const name = this.take(NAME);
    if (name === "") return { kind: "text", text: "$", quoted };
    return { kind: "variable", name, fallback: undefined, quoted };
  }

  #end(closing: string, from: number): number {
    const end = this.#script.indexOf(closing, from);
    if (end < 0) throw new ShellSyntaxError("unterminated quoted string");
    return end;
  }

  /** What stands before the parenthesis that closes the one before `from`. */
  #balanced(from: number): string {
    let depth = 1;
    for (let at = from; at < this.#script.length; at++) {
      if (this.#script[at] === "(") depth++;
      if (this.#script[at] === ")" && --depth === 0) return this.#script.slice(from, at);
    }
    throw new ShellSyntaxError("unterminated quoted string");
  }
}
