import { ownValue } from "#base/own-value.ts";
import { ShellSyntaxError, type Token, tokenize, type Word } from "./words.ts";

/** Where a command's output or input goes instead. `file` is absent for the other output. */
export interface Redirection {
  readonly operator: ">" | ">>" | "<" | "2>" | "2>>" | "2>&1" | ">&2";
  readonly file?: Word;
}

/** A script, or a part of it. */
export type Command =
  | { readonly kind: "simple"; readonly words: readonly Word[]; readonly redirections: readonly Redirection[] }
  | { readonly kind: "pipeline"; readonly commands: readonly Command[]; readonly negated: boolean }
  | { readonly kind: "list"; readonly items: readonly { readonly before: string; readonly command: Command }[] }
  | { readonly kind: "background"; readonly command: Command }
  | {
      readonly kind: "if";
      readonly branches: readonly { readonly test: Command; readonly body: Command }[];
      readonly otherwise?: Command;
    }
  | { readonly kind: "while"; readonly test: Command; readonly body: Command; readonly until: boolean }
  | { readonly kind: "for"; readonly name: string; readonly words: readonly Word[]; readonly body: Command }
  | { readonly kind: "subshell" | "group"; readonly body: Command; readonly redirections: readonly Redirection[] };

/** How deep commands may be inside one another. */
const DEPTH_MAX = 100;
const SEPARATORS = [";", "\n", "&"];
const SAME: Readonly<Record<string, Redirection["operator"]>> = { "1>": ">", "1>&2": ">&2" };

/** Understands a script of the commonest parts of the shell's language. Throws {@link ShellSyntaxError}. */
export function parseScript(script: string): Command {
  const parser = new Parser(tokenize(script));
  const command = parser.list([]);
  parser.expectEnd();
  return command;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  expectEnd(): void {
    if (this.#at < this.#tokens.length) throw this.#unexpected();
  }

  /** Commands up to one of the closing words or operators. */
  list(closing: readonly string[]): Command {
    if (++this.#depth > DEPTH_MAX) throw new ShellSyntaxError("script too deep");
    const items: { before: string; command: Command }[] = [];
    let before = ";";
    for (;;) {
      while (this.#isOperator(";", "\n")) this.#at++;
      if (this.#at >= this.#tokens.length || this.#isOneOf(closing)) break;
      let command = this.#pipeline();
      if (this.#isOperator("&")) command = { kind: "background", command };
      items.push({ before, command });
      before = ";";
      if (this.#isOperator("&&", "||")) {
        before = this.#operator();
        while (this.#isOperator("\n")) this.#at++;
        if (this.#at >= this.#tokens.length) throw this.#unexpected();
      } else if (this.#isOperator(...SEPARATORS)) this.#at++;
      else if (this.#at < this.#tokens.length && !this.#isOneOf(closing)) throw this.#unexpected();
    }
    this.#depth--;
    return { kind: "list", items };
  }

  #pipeline(): Command {
    const negated = this.#take("!");
    const commands = [this.#command()];
    while (this.#isOperator("|")) {
      this.#at++;
      commands.push(this.#command());
    }
    const [only] = commands;
    return only !== undefined && commands.length === 1 && !negated ? only : { kind: "pipeline", commands, negated };
  }

  #command(): Command {
    const body = this.#compound();
    if (body === undefined) return this.#simple();
    const redirections: Redirection[] = [];
    for (let next = this.#redirection(); next !== undefined; next = this.#redirection()) redirections.push(next);
    return redirections.length === 0 ? body : { kind: "group", body, redirections };
  }

  #compound(): Command | undefined {
    if (this.#take("if")) return this.#if();
    if (this.#isOneOf(["while", "until"])) {
      const until = this.#take("until");
      if (!until) this.#take("while");
      const test = this.list(["do"]);
      return { kind: "while", test, body: this.#doBody(), until };
    }
    if (this.#take("for")) return this.#for();
    if (this.#take("(")) return this.#enclosed("subshell", ")");
    if (this.#take("{")) return this.#enclosed("group", "}");
    return undefined;
  }

  #enclosed(kind: "subshell" | "group", closing: string): Command {
    const body = this.list([closing]);
    this.#expect(closing);
    return { kind, body, redirections: [] };
  }

  #if(): Command {
    const branches: { test: Command; body: Command }[] = [];
    do {
      const test = this.list(["then"]);
      this.#expect("then");
      branches.push({ test, body: this.list(["elif", "else", "fi"]) });
    } while (this.#take("elif"));
    const otherwise = this.#take("else") ? this.list(["fi"]) : undefined;
    this.#expect("fi");
    return { kind: "if", branches, ...(otherwise === undefined ? {} : { otherwise }) };
  }

  #for(): Command {
    const name = plainText(this.#word());
    const words: Word[] = [];
    if (this.#take("in")) while (this.#tokens[this.#at]?.type === "word") words.push(this.#word());
    while (this.#isOperator(";", "\n")) this.#at++;
    return { kind: "for", name, words, body: this.#doBody() };
  }

  #doBody(): Command {
    this.#expect("do");
    const body = this.list(["done"]);
    this.#expect("done");
    return body;
  }

  #simple(): Command {
    const words: Word[] = [];
    const redirections: Redirection[] = [];
    for (;;) {
      const redirection = this.#redirection();
      if (redirection !== undefined) redirections.push(redirection);
      else if (this.#tokens[this.#at]?.type === "word") words.push(this.#word());
      else break;
    }
    if (words.length === 0 && redirections.length === 0) throw this.#unexpected();
    return { kind: "simple", words, redirections };
  }

  #redirection(): Redirection | undefined {
    if (!this.#isOperator(">", ">>", "<", "2>", "2>>", "1>", "2>&1", ">&2", "1>&2")) return undefined;
    const text = this.#operator();
    const operator = ownValue(SAME, text) ?? (text as Redirection["operator"]);
    return operator.includes("&") ? { operator } : { operator, file: this.#word() };
  }

  #word(): Word {
    const token = this.#tokens[this.#at];
    if (token?.type !== "word") throw this.#unexpected();
    this.#at++;
    return token.word;
  }

  #operator(): string {
    const token = this.#tokens[this.#at++];
    return token?.type === "operator" ? token.text : "";
  }

  #isOperator(...texts: readonly string[]): boolean {
    const token = this.#tokens[this.#at];
    return token?.type === "operator" && texts.includes(token.text);
  }

  #isOneOf(texts: readonly string[]): boolean {
    const token = this.#tokens[this.#at];
    return token !== undefined && texts.includes(token.type === "operator" ? token.text : plainText(token.word));
  }

  #take(text: string): boolean {
    const found = this.#isOneOf([text]);
    if (found) this.#at++;
    return found;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#unexpected();
  }

  #unexpected(): ShellSyntaxError {
    const token = this.#tokens[this.#at];
    if (token === undefined) return new ShellSyntaxError("syntax error: unexpected end of file");
    const text = token.type === "operator" ? (token.text === "\n" ? "newline" : token.text) : plainText(token.word);
    return new ShellSyntaxError(`syntax error: unexpected "${text}"`);
  }
}

/** The text of a word that is written as it is; empty for any other. */
export function plainText(word: Word): string {
  const [part] = word;
  return word.length === 1 && part?.kind === "text" && !part.quoted ? part.text : "";
}
