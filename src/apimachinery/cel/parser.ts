import type { Entry, Expr } from "./ast.ts";
import type { Issue } from "./issues.ts";
import { tokenize } from "./lexer.ts";
import { bytesLiteral, doubleLiteral, intLiteral, stringLiteral, uintLiteral } from "./literals.ts";
import { expandMacro } from "./macros.ts";
import { ARGS_START, EXPR_START, FIELDS_START, isExprStart, LIST_START, MAP_START } from "./parse-expectations.ts";
import {
  DEPTH_MAX,
  PRODUCTS,
  RELATIONS,
  SUMS,
  SYNTAX_ERRORS_MAX,
  TokenStream,
  TooDeep,
  TooManyErrors,
  tooManyErrors,
} from "./token-stream.ts";

/** How long an expression may be, in code points; cel-go's default. */
const LENGTH_MAX = 100_000;

const RESERVED = new Set(
  "as break const continue else false for function if import in let loop package namespace null return true var void while".split(
    " ",
  ),
);

/** Parses an expression. When there are issues the expression is not to be used. */
export function parse(source: string): { readonly expr: Expr; readonly issues: readonly Issue[] } {
  const chars = Array.from(source);
  const nothing: Expr = { kind: "literal", pos: 0, value: null };
  if (chars.length > LENGTH_MAX) {
    const message = `expression code point size exceeds limit: size: ${chars.length}, limit ${LENGTH_MAX}`;
    return { expr: nothing, issues: [{ pos: undefined, message }] };
  }
  const { tokens, issues } = tokenize(chars);
  const last = issues[SYNTAX_ERRORS_MAX];
  if (last !== undefined) return { expr: nothing, issues: [...issues.slice(0, SYNTAX_ERRORS_MAX), tooManyErrors(last.pos)] };
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

/** Recursive descent over CEL's grammar. */
class Parser extends TokenStream {
  start(): Expr {
    const expr = this.#expr();
    this.match("<EOF>");
    return expr;
  }

  #expr(): Expr {
    return this.deeper("expr", () => {
      const condition = this.#or();
      if (!this.is("?")) return condition;
      const { pos } = this.next();
      const yes = this.within([":"], () => this.#or());
      if (!this.match(":")) return condition;
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
    while (this.is(operator)) {
      const token = this.next();
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
    return this.deeper(rule, (more) => {
      let left = operand();
      while (operators.has(this.peek().kind)) {
        const { kind, pos } = this.next();
        more();
        const right = operand();
        left = { kind: "call", pos, fn: kind === "in" ? "@in" : `_${kind}_`, target: undefined, args: [left, right] };
      }
      return left;
    });
  }

  #unary(): Expr {
    const { pos } = this.peek();
    if (!this.sync(EXPR_START)) return { kind: "literal", pos, value: null };
    const token = this.peek();
    if (token.kind !== "!" && token.kind !== "-") return this.#member();
    if (token.kind === "-" && this.peek(1).kind.startsWith("NUM_") && this.peek(1).kind !== "NUM_UINT") return this.#member();
    let count = 0;
    for (; this.is(token.kind); count++) this.next();
    const target = isExprStart(this.peek().kind, true) ? this.#member() : this.deeper("unary", () => this.#unary());
    if (count % 2 === 0) return target;
    return { kind: "call", pos: token.pos, fn: token.kind === "!" ? "!_" : "-_", target: undefined, args: [target] };
  }

  #member(): Expr {
    return this.deeper("member", (more) => {
      let operand = this.#primary();
      for (;;) {
        if (this.is(".")) operand = this.#selection(operand);
        else if (this.is("[")) operand = this.#index(operand);
        else return operand;
        more();
      }
    });
  }

  #selection(operand: Expr): Expr {
    const dot = this.next();
    const optional = this.is("?") && this.next() !== undefined;
    const token = this.peek();
    if (token.kind !== "IDENTIFIER" && token.kind !== "ESC_IDENTIFIER") {
      const text = this.chars
        .slice(dot.pos, token.kind === "<EOF>" ? token.pos : token.pos + Array.from(token.text).length)
        .join("");
      const input = text.trimEnd();
      const keyword = /^.(true|false|null)$/.exec(input);
      this.syntax(
        token,
        keyword === null ? `no viable alternative at input '${input}'` : `mismatched input '${keyword[1]}' expecting IDENTIFIER`,
      );
      this.recover();
      return operand;
    }
    this.next();
    if (token.kind === "ESC_IDENTIFIER") return this.error(token.pos, "unsupported syntax: '`'");
    if (optional) {
      const field: Expr = { kind: "literal", pos: token.pos, value: token.text };
      return { kind: "call", pos: dot.pos, fn: "_?._", target: undefined, args: [operand, field] };
    }
    if (!this.is("(")) return { kind: "select", pos: dot.pos, operand, field: token.text, test: false };
    const open = this.next();
    return this.#call(open.pos, token.text, operand, this.#args());
  }

  #index(target: Expr): Expr {
    const { pos } = this.next();
    const optional = this.is("?") && this.next() !== undefined;
    const index = this.within(["]"], () => {
      const expr = this.#expr();
      this.match("]");
      return expr;
    });
    return { kind: "call", pos, fn: optional ? "_[?_]" : "_[_]", target: undefined, args: [target, index] };
  }

  #call(pos: number, fn: string, target: Expr | undefined, args: readonly Expr[]): Expr {
    const expansion = expandMacro(pos, fn, target, args);
    if (expansion === undefined) return { kind: "call", pos, fn, target, args };
    return expansion.kind === "refused" ? this.error(expansion.at.pos, expansion.message) : expansion;
  }

  #args(): Expr[] {
    return this.within([",", ")"], () => {
      const args: Expr[] = [];
      if (this.sync(ARGS_START) && !this.is(")")) {
        do args.push(this.#expr());
        while (this.is(",") && this.next() !== undefined);
      }
      this.match(")");
      return args;
    });
  }

  #primary(): Expr {
    const token = this.peek();
    switch (token.kind) {
      case "(": {
        this.next();
        return this.within([")"], () => {
          const expr = this.#expr();
          this.match(")");
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
    const dot = this.is(".") ? this.next() : undefined;
    const token = this.peek();
    if (token.kind !== "IDENTIFIER") {
      this.syntax(token, `no viable alternative at input '.${token.kind === "<EOF>" ? "" : token.text}'`);
      this.recover();
      return { kind: "literal", pos: token.pos, value: null };
    }
    const struct = this.#structName();
    if (struct !== undefined) return this.#struct((dot === undefined ? "" : ".") + struct);
    this.next();
    const pos = dot?.pos ?? token.pos;
    if (RESERVED.has(token.text)) {
      const refused = this.error(pos, `reserved identifier: ${token.text}`);
      if (this.is("(") && this.next() !== undefined) this.#args();
      return refused;
    }
    const name = (dot === undefined ? "" : ".") + token.text;
    if (!this.is("(")) return { kind: "ident", pos: token.pos, name };
    const open = this.next();
    return this.#call(open.pos, name, undefined, this.#args());
  }

  /** `a.b.C` before a brace; the tokens are taken then. */
  #structName(): string | undefined {
    let ahead = 1;
    while (this.peek(ahead).kind === "." && this.peek(ahead + 1).kind === "IDENTIFIER") ahead += 2;
    if (this.peek(ahead).kind !== "{") return undefined;
    let name = "";
    for (; ahead > 0; ahead--) name += this.next().text;
    return name;
  }

  #struct(name: string): Expr {
    const { pos } = this.next();
    const fields = this.#entries(FIELDS_START, () => {
      const token = this.next();
      if (token.kind === "ESC_IDENTIFIER") this.error(token.pos, "unsupported syntax: '`'");
      return token.text;
    });
    return { kind: "struct", pos, name, fields };
  }

  #map(): Expr {
    const { pos } = this.next();
    return { kind: "map", pos, entries: this.#entries(MAP_START, () => this.within([":"], () => this.#expr())) };
  }

  #entries<Key>(starts: readonly string[], key: () => Key): Entry<Key>[] {
    return this.within([",", "}"], () => {
      const entries: Entry<Key>[] = [];
      if (!this.sync(starts)) {
        this.match("}");
        return entries;
      }
      while (!this.is("}") && !this.is(",")) {
        const optional = this.is("?") && this.next() !== undefined;
        const made = key();
        const { pos } = this.peek();
        if (!this.match(":")) break;
        entries.push({ pos, key: made, value: this.#expr(), optional });
        if (!this.is(",") || this.peek(1).kind === "}") break;
        this.next();
      }
      this.closing("}");
      return entries;
    });
  }

  #list(): Expr {
    const { pos } = this.next();
    const elements: Expr[] = [];
    const optional = new Set<number>();
    this.within([",", "]"], () => {
      if (this.sync(LIST_START) && !this.is("]") && !this.is(",")) {
        for (;;) {
          if (this.is("?") && this.next() !== undefined) optional.add(elements.length);
          elements.push(this.#expr());
          if (!this.is(",") || this.peek(1).kind === "]") break;
          this.next();
        }
      }
      this.closing("]");
    });
    return { kind: "list", pos, elements, optional };
  }

  #literal(): Expr {
    const first = this.next();
    const { pos } = first;
    const negative = first.kind === "-";
    const token = negative ? this.next() : first;
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
        return value instanceof Error ? this.error(pos, value.message) : { kind: "literal", pos, value };
      }
      case "true":
      case "false":
        return { kind: "literal", pos, value: token.kind === "true" };
      default:
        return { kind: "literal", pos, value: null };
    }
  }

  #value(pos: number, value: Extract<Expr, { kind: "literal" }>["value"] | undefined, message: string): Expr {
    return value === undefined ? this.error(pos, message) : { kind: "literal", pos, value };
  }
}
