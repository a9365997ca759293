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
const NAME = /^[A-Za-z_][A-Za-z0-9_]*|^[0-9?$#@!*]/;

/** Takes a script apart into words and operators. Throws {@link ShellSyntaxError}. */
export function tokenize(script: string): readonly Token[] {
  const tokens: Token[] = [];
  const reader = new WordReader(script);
  while (!reader.atEnd) {
    if (reader.skip(/^(?:[ \t\r]|\\\n)+/) || (reader.skip(/^#[^\n]*/) && true)) continue;
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

  skip(pattern: RegExp): boolean {
    const [found = ""] = pattern.exec(this.#script.slice(this.#at)) ?? [];
    this.#at += found.length;
    return found !== "";
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
        const [text = char] = /^[^ \t\r\n;|&()<>'"\\$`]+/.exec(this.#script.slice(this.#at)) ?? [];
        parts.push({ kind: "text", text, quoted: false });
        this.#at += text.length;
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
      else {
        const isEscape = char === "\\" && /["\\$`\n]/.test(this.#script[this.#at + 1] ?? "");
        const text = isEscape ? (this.#script[this.#at + 1] ?? "") : char;
        parts.push({ kind: "text", text: isEscape && text === "\n" ? "" : text, quoted: true });
        this.#at += isEscape ? 2 : 1;
      }
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
    const [name] = NAME.exec(this.#script.slice(this.#at)) ?? [];
    if (name === undefined) return { kind: "text", text: "$", quoted };
    this.#at += name.length;
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
