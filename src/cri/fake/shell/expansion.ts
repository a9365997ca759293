import type { Process } from "../process.ts";
import { calculate } from "./arithmetic.ts";
import { plainText } from "./syntax.ts";
import { joined, type ShellState, variable } from "./variables.ts";
import { ShellSyntaxError, type Word } from "./words.ts";

/** Most words of a command, and what they may come to in characters. */
const WORDS_MAX = 50_000;
const WORDS_LENGTH_MAX: number = 2 * 1024 * 1024;

/** What words stand for, in a process of a shell. */
export class Expansion {
  readonly #process: Process;
  readonly #state: ShellState;
  readonly #substitute: (script: string) => Promise<string>;

  /** `substitute` runs a script, and gives what it says. */
  constructor(process: Process, state: ShellState, substitute: (script: string) => Promise<string>) {
    this.#process = process;
    this.#state = state;
    this.#substitute = substitute;
  }

  /** A word as one value. */
  async one(word: Word): Promise<string> {
    let all = "";
    for (const part of word) all = joined(all, await this.#valueOf(part));
    return all;
  }

  /** The values of words. Throws when they are more, or longer, than a command may have. */
  async all(words: readonly Word[]): Promise<string[]> {
    const all: string[] = [];
    let length = 0;
    for (const word of words) {
      for (const field of await this.#fields(word)) {
        length += field.length;
        if (all.push(field) > WORDS_MAX || length > WORDS_LENGTH_MAX) throw new ShellSyntaxError("Argument list too long");
      }
    }
    return all;
  }

  /** A word's values: what is not quoted falls apart at white space. */
  async #fields(word: Word): Promise<readonly string[]> {
    const plain = plainText(word);
    if (plain !== "") return [plain.startsWith("~") ? plain.replace("~", this.#process.env.get("HOME") ?? "/root") : plain];
    const fields: string[] = [];
    let current: string | undefined;
    for (const part of word) {
      if (part.kind === "variable" && (part.name === "@" || part.name === "*")) {
        for (const argument of this.#state.arguments.slice(1)) fields.push(argument);
        continue;
      }
      const value = await this.#valueOf(part);
      if (part.quoted || part.kind === "text") {
        current = joined(current ?? "", value);
        continue;
      }
      const pieces = value.split(/[ \t\n]+/);
      for (const [i, piece] of pieces.entries()) {
        if (i > 0 && current !== undefined) {
          fields.push(current);
          current = undefined;
        }
        if (piece !== "") current = joined(current ?? "", piece);
      }
    }
    if (current !== undefined) fields.push(current);
    return fields;
  }

  async #valueOf(part: Word[number]): Promise<string> {
    const variable = (name: string): string => this.#variable(name) ?? "";
    if (part.kind === "text") return part.text;
    if (part.kind === "variable") return this.#variable(part.name) ?? part.fallback ?? "";
    if (part.kind === "arithmetic") return String(calculate(part.expression, variable));
    return this.#substitute(part.script);
  }

  #variable(name: string): string | undefined {
    return variable(name, this.#state, this.#process);
  }
}
