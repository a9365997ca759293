import type { Entry, Expr } from "./ast.ts";
import type { Issue } from "./issues.ts";
import { type Token, tokenize } from "./lexer.ts";
import { bytesLiteral, doubleLiteral, intLiteral, stringLiteral, uintLiteral } from "./literals.ts";
import { expandMacro } from "./macros.ts";
import { ARGS_START, EXPR_START, expected, FIELDS_START, isExprStart, LIST_START, MAP_START } from "./parse-expectations.ts";

/** How deep an expression may nest; cel-go's default. */
const DEPTH_MAX = 250;

/** How long an expression may be, in code points; cel-go's default. */
const LENGTH_MAX = 100_000;

/** How many syntax errors are reported; cel-go's default. */
const SYNTAX_ERRORS_MAX = 100;

const RESERVED = new Set(
  "as break const continue else false for function if import in let loop package namespace null return true var void while".split(
    " ",
  ),
);

const RELATIONS = new Set(["<", "<=", ">=", ">", "==", "!=", "in"]);
const SUMS = new Set(["+", "-"]);
const PRODUCTS = new Set(["*", "/", "%"]);
const AFTER_OPERAND = new Set([...RELATIONS, ...SUMS, ...PRODUCTS, "&&", "||", "?"]);

class TooDeep extends Error {}
class TooManyErrors extends Error {}

/** Parses an expression. When there are issues the expression is not to be used. */
export function parse(source: string): { readonly expr: Expr; readonly issues: readonly Issue[] } {
  const chars = Array.from(source);
  const nothing: Expr = { kind: "literal", pos: 0, value: null };
  if (chars.length > LENGTH_MAX) {
    const message = `expression code point size exceeds limit: size: ${chars.length}, limit ${LENGTH_MAX}`;
    return { expr: nothing, issues: [{ pos: undefined, message }] };
  }
  const { tokens, issues } = tokenize(chars);
  const parser = new Parser(chars, tokens, [...issues]);
  try {
    const expr = parser.start();
    return { expr, issues: parser.issues };
  } catch (thrown) {
    if (thrown instanceof TooDeep)
      parser.issues.push({ pos: undefined, message: `expression recursion limit exceeded: ${DEPTH_MAX}` });
    else if (!(thrown instanceof TooManyErrors)) throw thrown;
    return { expr: nothing, issues: parser.issues };
  }
}

/** Recursive descent over CEL's grammar; its syntax errors are those that ANTLR's default strategy reports for the same grammar. */
class Parser {
  readonly issues: Issue[];
  readonly #chars: readonly string[];
  readonly #tokens: readonly Token[];
  #at = 0;
  /** After an error, until the next token that fits, nothing is reported. */
  #recovering = false;
  /** What may follow, of the brackets that are open. */
  readonly #open: (readonly string[])[] = [];
  readonly #depth: Record<string, number> = {};

  constructor(chars: readonly string[], tokens: readonly Token[], issues: Issue[]) {
    this.#chars = chars;
    this.#tokens = tokens;
    this.issues = issues;
  }

  start(): Expr {
    const expr = this.#expr();
    this.#match("<EOF>");
    return expr;
  }

  #peek(offset = 0): Token {
    return this.#tokens[Math.min(this.#at + offset, this.#tokens.length - 1)] as Token;
  }

  #next(): Token {
    const token = this.#peek();
    if (this.#at < this.#tokens.length - 1) this.#at++;
    this.#recovering = false;
    return token;
  }

  #is(kind: string): boolean {
    return this.#peek().kind === kind;
  }

  #deeper<T>(rule: string, parse: (more: () => void) => T): T {
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

  #syntax(token: Token, message: string): void {
    if (this.#recovering) return;
    this.#recovering = true;
    const syntax = this.issues.filter((issue) => issue.message.startsWith("Syntax error: ")).length;
    if (syntax >= SYNTAX_ERRORS_MAX) {
      this.issues.push({ pos: token.pos, message: `Syntax error: More than ${SYNTAX_ERRORS_MAX} syntax errors` });
      throw new TooManyErrors();
    }
    this.issues.push({ pos: token.pos, message: `Syntax error: ${message}` });
  }

  #error(pos: number, message: string): Expr {
    this.issues.push({ pos, message });
    return { kind: "literal", pos, value: null };
  }

  /** Skips to where one of the rules under way can go on. */
  #recover(): void {
    const follow = new Set([...AFTER_OPERAND, "<EOF>", ...this.#open.flat()]);
    while (!follow.has(this.#peek().kind)) this.#at++;
  }

  /** Takes a token of this kind; one too many before it is left out, one missing is thought to be there. */
  #match(kind: string): boolean {
    if (this.#is(kind)) {
      this.#next();
      return true;
    }
    const token = this.#peek();
    const wanted = expected([kind]);
    if (
      this.#peek(1).kind === kind && kind !== "<EOF>"
        ? true
        : kind === "<EOF>" && this.#peek(1).kind === kind && token.kind !== kind
    ) {
      this.#syntax(token, `extraneous input '${token.text}' expecting ${wanted}`);
      this.#at++;
      this.#next();
      return true;
    }
    if ((kind === ")" || kind === "]" || kind === "}") && this.#mayFollowClosing(token)) {
      this.#syntax(token, `missing ${wanted} at '${token.text}'`);
      return true;
    }
    this.#syntax(token, `mismatched input '${token.text}' expecting ${wanted}`);
    this.#recover();
    return false;
  }

  #mayFollowClosing({ kind }: Token): boolean {
    if (AFTER_OPERAND.has(kind) || kind === "." || kind === "[") return true;
    const outer = this.#open.slice(0, -1).at(-1);
    return outer === undefined ? kind === "<EOF>" : outer.includes(kind);
  }

  /** Before a choice: whether the next token is one of its beginnings; one too many before it is left out. */
  #sync(starts: readonly string[]): boolean {
    const token = this.#peek();
    if (starts.includes(token.kind)) return true;
    if (starts.includes(this.#peek(1).kind) && token.kind !== "<EOF>") {
      this.#syntax(token, `extraneous input '${token.text}' expecting ${expected(starts)}`);
      this.#at++;
      this.#recovering = false;
      return true;
    }
    this.#syntax(token, `mismatched input '${token.text}' expecting ${expected(starts)}`);
    this.#recover();
    return false;
  }

  #within<T>(follow: readonly string[], parse: () => T): T {
    this.#open.push(follow);
    const result = parse();
    this.#open.pop();
    return result;
  }

  #expr(): Expr {
    return this.#deeper("expr", () => {
      const condition = this.#or();
      if (!this.#is("?")) return condition;
      const { pos } = this.#next();
      const yes = this.#within([":"], () => this.#or());
      if (!this.#match(":")) return condition;
      const no = this.#expr();
      return { kind: "call", pos, fn: "_?_:_", target: undefined, args: [condition, yes, no] };
    });
  }

  #or(): Expr {
    return this.#logical("||", "_||_", () => this.#logical("&&", "_&&_", () => this.#relation()));
  }

  #logical(operator: string, fn: string, term: () => Expr): Expr {
    const args = [term()];
    let pos = 0;
    while (this.#is(operator)) {
      const token = this.#next();
      if (args.length === 1) pos = token.pos;
      args.push(term());
    }
    return args.length === 1 ? (args[0] as Expr) : { kind: "call", pos, fn, target: undefined, args };
  }

  #relation(): Expr {
    return this.#binary("relation", RELATIONS, () =>
      this.#binary("calc", SUMS, () => this.#binary("calc", PRODUCTS, () => this.#unary())),
    );
  }

  #binary(rule: string, operators: ReadonlySet<string>, operand: () => Expr): Expr {
    return this.#deeper(rule, (more) => {
      let left = operand();
      while (operators.has(this.#peek().kind)) {
        const { kind, pos } = this.#next();
        more();
        const right = operand();
        left = { kind: "call", pos, fn: kind === "in" ? "@in" : `_${kind}_`, target: undefined, args: [left, right] };
      }
      return left;
    });
  }

  #unary(): Expr {
    const { pos } = this.#peek();
    if (!this.#sync(EXPR_START)) return { kind: "literal", pos, value: null };
    const token = this.#peek();
    if (token.kind !== "!" && token.kind !== "-") return this.#member();
    if (token.kind === "-" && this.#peek(1).kind.startsWith("NUM_") && this.#peek(1).kind !== "NUM_UINT") return this.#member();
    let count = 0;
    for (; this.#is(token.kind); count++) this.#next();
    const target = isExprStart(this.#peek().kind, true) ? this.#member() : this.#deeper("unary", () => this.#unary());
    if (count % 2 === 0) return target;
    return { kind: "call", pos: token.pos, fn: token.kind === "!" ? "!_" : "-_", target: undefined, args: [target] };
  }

  #member(): Expr {
    return this.#deeper("member", (more) => {
      let operand = this.#primary();
      for (;;) {
        if (this.#is(".")) operand = this.#selection(operand);
        else if (this.#is("[")) operand = this.#index(operand);
        else return operand;
        more();
      }
    });
  }

  #selection(operand: Expr): Expr {
    const dot = this.#next();
    const optional = this.#is("?") && this.#next() !== undefined;
    const token = this.#peek();
    if (token.kind !== "IDENTIFIER" && token.kind !== "ESC_IDENTIFIER") {
      const text = this.#chars
        .slice(dot.pos, token.kind === "<EOF>" ? token.pos : token.pos + Array.from(token.text).length)
        .join("");
      const input = text.trimEnd();
      const keyword = /^.(true|false|null)$/.exec(input);
      this.#syntax(
        token,
        keyword === null ? `no viable alternative at input '${input}'` : `mismatched input '${keyword[1]}' expecting IDENTIFIER`,
      );
      this.#recover();
      return operand;
    }
    this.#next();
    if (token.kind === "ESC_IDENTIFIER") return this.#error(token.pos, "unsupported syntax: '`'");
    if (optional) {
      const field: Expr = { kind: "literal", pos: token.pos, value: token.text };
      return { kind: "call", pos: dot.pos, fn: "_?._", target: undefined, args: [operand, field] };
    }
    if (!this.#is("(")) return { kind: "select", pos: dot.pos, operand, field: token.text, test: false };
    const open = this.#next();
    return this.#call(open.pos, token.text, operand, this.#args());
  }

  #index(target: Expr): Expr {
    const { pos } = this.#next();
    const optional = this.#is("?") && this.#next() !== undefined;
    const index = this.#within(["]"], () => {
      const expr = this.#expr();
      this.#match("]");
      return expr;
    });
    return { kind: "call", pos, fn: optional ? "_[?_]" : "_[_]", target: undefined, args: [target, index] };
  }

  #call(pos: number, fn: string, target: Expr | undefined, args: readonly Expr[]): Expr {
    const expansion = expandMacro(pos, fn, target, args);
    if (expansion === undefined) return { kind: "call", pos, fn, target, args };
    return expansion.kind === "refused" ? this.#error(expansion.at.pos, expansion.message) : expansion;
  }

  #args(): Expr[] {
    return this.#within([",", ")"], () => {
      const args: Expr[] = [];
      if (this.#sync(ARGS_START) && !this.#is(")")) {
        do args.push(this.#expr());
        while (this.#is(",") && this.#next() !== undefined);
      }
      this.#match(")");
      return args;
    });
  }

  #primary(): Expr {
    const token = this.#peek();
    switch (token.kind) {
      case "(": {
        this.#next();
        return this.#within([")"], () => {
          const expr = this.#expr();
          this.#match(")");
          return expr;
        });
      }
      case "[":
        return this.#list();
      case "{":
        return this.#map();
      case ".":
      case "IDENTIFIER":
        return this.#name();
      default:
        return this.#literal();
    }
  }

  #name(): Expr {
    const dot = this.#is(".") ? this.#next() : undefined;
    const token = this.#peek();
    if (token.kind !== "IDENTIFIER") {
      this.#syntax(token, `no viable alternative at input '.${token.kind === "<EOF>" ? "" : token.text}'`);
      this.#recover();
      return { kind: "literal", pos: token.pos, value: null };
    }
    const struct = this.#structName();
    if (struct !== undefined) return this.#struct((dot === undefined ? "" : ".") + struct);
    this.#next();
    const pos = dot?.pos ?? token.pos;
    if (RESERVED.has(token.text)) {
      const refused = this.#error(pos, `reserved identifier: ${token.text}`);
      if (this.#is("(") && this.#next() !== undefined) this.#args();
      return refused;
    }
    const name = (dot === undefined ? "" : ".") + token.text;
    if (!this.#is("(")) return { kind: "ident", pos: token.pos, name };
    const open = this.#next();
    return this.#call(open.pos, name, undefined, this.#args());
  }

  /** `a.b.C` before a brace; the tokens are taken then. */
  #structName(): string | undefined {
    let ahead = 1;
    while (this.#peek(ahead).kind === "." && this.#peek(ahead + 1).kind === "IDENTIFIER") ahead += 2;
    if (this.#peek(ahead).kind !== "{") return undefined;
    let name = "";
    for (; ahead > 0; ahead--) name += this.#next().text;
    return name;
  }

  #struct(name: string): Expr {
    const { pos } = this.#next();
    const fields = this.#entries(FIELDS_START, () => {
      const token = this.#next();
      if (token.kind === "ESC_IDENTIFIER") this.#error(token.pos, "unsupported syntax: '`'");
      return token.text;
    });
    return { kind: "struct", pos, name, fields };
  }

  #map(): Expr {
    const { pos } = this.#next();
    return { kind: "map", pos, entries: this.#entries(MAP_START, () => this.#within([":"], () => this.#expr())) };
  }

  #entries<Key>(starts: readonly string[], key: () => Key): Entry<Key>[] {
    return this.#within([",", "}"], () => {
      const entries: Entry<Key>[] = [];
      if (!this.#sync(starts)) {
        this.#match("}");
        return entries;
      }
      while (!this.#is("}") && !this.#is(",")) {
        const optional = this.#is("?") && this.#next() !== undefined;
        const made = key();
        const { pos } = this.#peek();
        if (!this.#match(":")) break;
        entries.push({ pos, key: made, value: this.#expr(), optional });
        if (!this.#is(",") || this.#peek(1).kind === "}") break;
        this.#next();
      }
      this.#closing("}");
      return entries;
    });
  }

  #list(): Expr {
    const { pos } = this.#next();
    const elements: Expr[] = [];
    const optional = new Set<number>();
    this.#within([",", "]"], () => {
      if (this.#sync(LIST_START) && !this.#is("]") && !this.#is(",")) {
        for (;;) {
          if (this.#is("?") && this.#next() !== undefined) optional.add(elements.length);
          elements.push(this.#expr());
          if (!this.#is(",") || this.#peek(1).kind === "]") break;
          this.#next();
        }
      }
      this.#closing("]");
    });
    return { kind: "list", pos, elements, optional };
  }

  /** A last comma, if there is one, and the bracket. */
  #closing(bracket: string): void {
    if (!this.#sync([bracket, ","])) return;
    if (this.#is(",")) this.#next();
    this.#match(bracket);
  }

  #literal(): Expr {
    const first = this.#next();
    const { pos } = first;
    const negative = first.kind === "-";
    const token = negative ? this.#next() : first;
    switch (token.kind) {
      case "NUM_INT":
        return this.#value(pos, intLiteral(token.text, negative), "invalid int literal");
      case "NUM_UINT":
        return this.#value(pos, uintLiteral(token.text), "invalid uint literal");
      case "NUM_FLOAT":
        return this.#value(pos, doubleLiteral(token.text, negative), "invalid double literal");
      case "STRING":
      case "BYTES": {
        const value = token.kind === "STRING" ? stringLiteral(token.text) : bytesLiteral(token.text);
        return value instanceof Error ? this.#error(pos, value.message) : { kind: "literal", pos, value };
      }
      case "true":
      case "false":
        return { kind: "literal", pos, value: token.kind === "true" };
      default:
        return { kind: "literal", pos, value: null };
    }
  }

  #value(pos: number, value: Extract<Expr, { kind: "literal" }>["value"] | undefined, message: string): Expr {
    return value === undefined ? this.#error(pos, message) : { kind: "literal", pos, value };
  }
}
