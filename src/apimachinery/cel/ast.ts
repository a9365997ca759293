import type { CelType } from "./types.ts";
import type { CelValue } from "./values.ts";

interface Node {
  /** Where it begins in the source, in code points; for calls, where the parenthesis or the operator stands. */
  readonly pos: number;
  /** Set by the checker. */
  type?: CelType;
}

/** A literal, with the value that it stands for. */
export interface Literal extends Node {
  readonly kind: "literal";
  readonly value: CelValue;
}

/** A name. The checker makes one of a whole `a.b.c` when that is declared as a variable or a type. */
export interface Ident extends Node {
  kind: "ident";
  name: string;
}

/** `operand.field`, or with `test` the question whether the field is there. */
export interface Select extends Node {
  readonly kind: "select";
  readonly operand: Expr;
  readonly field: string;
  readonly test: boolean;
}

/** A function, an operator or a method. `&&` and `||` take any number of arguments. */
export interface Call extends Node {
  readonly kind: "call";
  fn: string;
  target: Expr | undefined;
  readonly args: readonly Expr[];
  /** Those whose signature fits; set by the checker. */
  overloads?: readonly string[];
}

/** `[a, ?b]`. */
export interface ListLiteral extends Node {
  readonly kind: "list";
  readonly elements: readonly Expr[];
  readonly optional: ReadonlySet<number>;
}

/** One entry of a map literal or of an object. */
export interface Entry<Key> {
  readonly pos: number;
  readonly key: Key;
  readonly value: Expr;
  readonly optional: boolean;
}

/** `{a: b, ?c: d}`. */
export interface MapLiteral extends Node {
  readonly kind: "map";
  readonly entries: readonly Entry<Expr>[];
}

/** `Name{field: value}`. */
export interface StructLiteral extends Node {
  readonly kind: "struct";
  readonly name: string;
  readonly fields: readonly Entry<string>[];
}

/** A loop, as the macros make it; with an empty range and a false condition, the binding of a name. */
export interface Comprehension extends Node {
  readonly kind: "comprehension";
  readonly range: Expr;
  readonly variable: string;
  /** With two variables, the first is the index or the key. */
  readonly variable2: string | undefined;
  readonly accumulator: string;
  readonly init: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

/** An expression. The checker writes types and chosen overloads into it. */
export type Expr = Literal | Ident | Select | Call | ListLiteral | MapLiteral | StructLiteral | Comprehension;

/** Whether a comprehension only binds a name. */
export function isBinding({ range, condition }: Comprehension): boolean {
  return range.kind === "list" && range.elements.length === 0 && condition.kind === "literal" && condition.value === false;
}

/** The parts of an expression, in the order in which they are evaluated. */
export function children(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "literal":
    case "ident":
      return [];
    case "select":
      return [expr.operand];
    case "call":
      return expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    case "list":
      return expr.elements;
    case "map":
      return expr.entries.flatMap(({ key, value }) => [key, value]);
    case "struct":
      return expr.fields.map(({ value }) => value);
    default:
      return [expr.range, expr.init, expr.condition, expr.step, expr.result];
  }
}

/** Copies what the parser made, for macros that need an operand twice. */
export function copyExpr(expr: Expr): Expr {
  switch (expr.kind) {
    case "literal":
    case "ident":
      return { ...expr };
    case "select":
      return { ...expr, operand: copyExpr(expr.operand) };
    case "call":
      return { ...expr, target: expr.target && copyExpr(expr.target), args: expr.args.map(copyExpr) };
    case "list":
      return { ...expr, elements: expr.elements.map(copyExpr) };
    case "map":
      return {
        ...expr,
        entries: expr.entries.map((entry) => ({ ...entry, key: copyExpr(entry.key), value: copyExpr(entry.value) })),
      };
    case "struct":
      return { ...expr, fields: expr.fields.map((entry) => ({ ...entry, value: copyExpr(entry.value) })) };
    default:
      return {
        ...expr,
        range: copyExpr(expr.range),
        init: copyExpr(expr.init),
        condition: copyExpr(expr.condition),
        step: copyExpr(expr.step),
        result: copyExpr(expr.result),
      };
  }
}
