import type { Expr } from "./ast.ts";
import type { Issue } from "./issues.ts";
import type { Token } from "./lexer.ts";
import { expected } from "./parse-expectations.ts";

/** How deep an expression may nest; cel-go's default. */
export const DEPTH_MAX = 250;

/** Syntax errors after which the rest is not read; cel-go's default. */
export const SYNTAX_ERRORS_MAX = 100;

/** Operators by how they bind. */
export const RELATIONS: ReadonlySet<string> = new Set(["<", "<=", ">=", ">", "==", "!=", "in"]);
export const SUMS: ReadonlySet<string> = new Set(["+", "-"]);
export const PRODUCTS: ReadonlySet<string> = new Set(["*", "/", "%"]);
const AFTER_OPERAND = new Set([...RELATIONS, ...SUMS, ...PRODUCTS, "&&", "||", "?"]);

/** The expression nests too deep. */
export class TooDeep extends Error {}
/** Nobody wants to read more. */
export class TooManyErrors extends Error {}

/** What stands in the place of all further syntax errors. */
export function tooManyErrors(pos: number | undefined): Issue {
  return { pos, message: `Syntax error: More than ${SYNTAX_ERRORS_MAX} syntax errors` };
}

/** Tokens under way, with the syntax errors that ANTLR's default strategy reports and how it goes on after them. */
export class TokenStream {
  readonly issues: Issue[];
  protected readonly chars: readonly string[];
  readonly #tokens: readonly Token[];
  #at = 0;
  /** After an error, until the next token that fits, nothing is reported. */
  #recovering = false;
  /** What may follow, of the brackets that are open. */
  readonly #open: (readonly string[])[] = [];
  readonly #depth: Record<string, number> = {};

  constructor(chars: readonly string[], tokens: readonly Token[], issues: Issue[]) {
    this.chars = chars;
    this.#tokens = tokens;
    this.issues = issues;
  }

  protected peek(offset = 0): Token {
    return this.#tokens[Math.min(this.#at + offset, this.#tokens.length - 1)] as Token;
  }

  protected next(): Token {
    const token = this.peek();
    if (this.#at < this.#tokens.length - 1) this.#at++;
    this.#recovering = false;
    return token;
  }

  protected is(kind: string): boolean {
    return this.peek().kind === kind;
  }

  protected deeper<T>(rule: string, parse: (more: () => void) => T): T {
    const before = this.#depth[rule] ?? 0;
    const more = () => {
      const depth = (this.#depth[rule] ?? 0) + 1;
      if (depth > DEPTH_MAX) throw new TooDeep();
      this.#depth[rule] = depth;
    };
    more();
    const result = parse(more);
    this.#depth[rule] = before;
    return result;
  }

  protected syntax(token: Token, message: string): void {
    if (this.#recovering) return;
    this.#recovering = true;
    const syntax = this.issues.filter((issue) => issue.message.startsWith("Syntax error: ")).length;
    if (syntax >= SYNTAX_ERRORS_MAX) {
      this.issues.push(tooManyErrors(token.pos));
      throw new TooManyErrors();
    }
    this.issues.push({ pos: token.pos, message: `Syntax error: ${message}` });
  }

  protected error(pos: number, message: string): Expr {
    this.issues.push({ pos, message });
    return { kind: "literal", pos, value: null };
  }

  /** Skips to where one of the rules under way can go on. */
  protected recover(): void {
    const follow = new Set([...AFTER_OPERAND, "<EOF>", ...this.#open.flat()]);
    while (!follow.has(this.peek().kind)) this.#at++;
  }

  /** Takes a token of this kind; one too many before it is left out, one missing is thought to be there. */
  protected match(kind: string): boolean {
    if (this.is(kind)) {
      this.next();
      return true;
    }
    const token = this.peek();
    const wanted = expected([kind]);
    if (
      this.peek(1).kind === kind && kind !== "<EOF>"
        ? true
        : kind === "<EOF>" && this.peek(1).kind === kind && token.kind !== kind
    ) {
      this.syntax(token, `extraneous input '${token.text}' expecting ${wanted}`);
      this.#at++;
      this.next();
      return true;
    }
    if ((kind === ")" || kind === "]" || kind === "}") && this.#mayFollowClosing(token)) {
      this.syntax(token, `missing ${wanted} at '${token.text}'`);
      return true;
    }
    this.syntax(token, `mismatched input '${token.text}' expecting ${wanted}`);
    this.recover();
    return false;
  }

  #mayFollowClosing({ kind }: Token): boolean {
    if (AFTER_OPERAND.has(kind) || kind === "." || kind === "[") return true;
    const outer = this.#open.slice(0, -1).at(-1);
    return outer === undefined ? kind === "<EOF>" : outer.includes(kind);
  }

  /** Before a choice: whether the next token is one of its beginnings; one too many before it is left out. */
  protected sync(starts: readonly string[]): boolean {
    const token = this.peek();
    if (starts.includes(token.kind)) return true;
    if (starts.includes(this.peek(1).kind) && token.kind !== "<EOF>") {
      this.syntax(token, `extraneous input '${token.text}' expecting ${expected(starts)}`);
      this.#at++;
      this.#recovering = false;
      return true;
    }
    this.syntax(token, `mismatched input '${token.text}' expecting ${expected(starts)}`);
    this.recover();
    return false;
  }

  protected within<T>(follow: readonly string[], parse: () => T): T {
    this.#open.push(follow);
    const result = parse();
    this.#open.pop();
    return result;
  }

  /** A last comma, if there is one, and the bracket. */
  protected closing(bracket: string): void {
    if (!this.sync([bracket, ","])) return;
    if (this.is(",")) this.next();
    this.match(bracket);
  }
}
