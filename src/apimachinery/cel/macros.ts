import {
  type Call,
  type Comprehension,
  copyExpr,
  type Expr,
  type Ident,
  type ListLiteral,
  type Literal,
  type MapLiteral,
} from "./ast.ts";

/** The accumulator of the macros' loops; no source text can name it. */
export const ACCUMULATOR = "@result";

/** What a macro makes of its arguments, or what is wrong with which of them. */
export type Expansion = Expr | { readonly kind: "refused"; readonly at: Expr; readonly message: string };

type Expander = (make: Factory, target: Expr, args: readonly Expr[]) => Expansion;

/** Makes the nodes of an expansion; all of them stand where the macro stands. */
class Factory {
  readonly pos: number;

  constructor(pos: number) {
    this.pos = pos;
  }

  literal(value: Literal["value"]): Literal {
    return { kind: "literal", pos: this.pos, value };
  }

  ident(name: string): Ident {
    return { kind: "ident", pos: this.pos, name };
  }

  accumulator(): Ident {
    return this.ident(ACCUMULATOR);
  }

  call(fn: string, ...args: Expr[]): Call {
    return { kind: "call", pos: this.pos, fn, target: undefined, args };
  }

  method(fn: string, target: Expr, ...args: Expr[]): Call {
    return { kind: "call", pos: this.pos, fn, target, args };
  }

  list(...elements: Expr[]): ListLiteral {
    return { kind: "list", pos: this.pos, elements, optional: new Set() };
  }

  map(): MapLiteral {
    return { kind: "map", pos: this.pos, entries: [] };
  }

  loop(
    range: Expr,
    names: readonly string[],
    parts: Pick<Comprehension, "init" | "condition" | "step" | "result">,
  ): Comprehension {
    const [variable = "", variable2] = names;
    return { kind: "comprehension", pos: this.pos, range, variable, variable2, accumulator: ACCUMULATOR, ...parts };
  }

  bind(name: string, value: Expr, result: Expr): Comprehension {
    const { pos } = this;
    const parts = { init: value, condition: this.literal(false), step: this.ident(name), result };
    return {
      kind: "comprehension",
      pos,
      range: this.list(),
      variable: "#unused",
      variable2: undefined,
      accumulator: name,
      ...parts,
    };
  }
}

type Quantifier = "all" | "exists" | "existsOne";

function quantify(make: Factory, kind: Quantifier, range: Expr, names: readonly string[], predicate: Expr): Expr {
  const accumulator = () => make.accumulator();
  switch (kind) {
    case "all":
      return make.loop(range, names, {
        init: make.literal(true),
        condition: make.call("@not_strictly_false", accumulator()),
        step: make.call("_&&_", accumulator(), predicate),
        result: accumulator(),
      });
    case "exists":
      return make.loop(range, names, {
        init: make.literal(false),
        condition: make.call("@not_strictly_false", make.call("!_", accumulator())),
        step: make.call("_||_", accumulator(), predicate),
        result: accumulator(),
      });
    default:
      return make.loop(range, names, {
        init: make.literal(0n),
        condition: make.literal(true),
        step: make.call("_?_:_", predicate, make.call("_+_", accumulator(), make.literal(1n)), accumulator()),
        result: make.call("_==_", accumulator(), make.literal(1n)),
      });
  }
}

function refused(at: Expr, message: string): Expansion {
  return { kind: "refused", at, message };
}

/** The names of a loop's variables, or why they are none. */
function variables(args: readonly Expr[], notName: string): string[] | Expansion {
  for (const arg of args) if (arg.kind !== "ident") return refused(arg, notName);
  const names = args.map((arg) => (arg as Ident).name);
  const [first, second] = args;
  if (second !== undefined && names[0] === names[1]) return refused(second, `duplicate variable name: ${names[0]}`);
  const taken = args.find((arg) => (arg as Ident).name === "__result__" || (arg as Ident).name === ACCUMULATOR);
  return taken === undefined || first === undefined
    ? names
    : refused(taken, "iteration variable overwrites accumulator variable");
}

function quantifier(kind: Quantifier, count: 1 | 2): Expander {
  return (make, target, args) => {
    const names = variables(args.slice(0, count), "argument must be a simple name");
    const predicate = args[count];
    return Array.isArray(names) && predicate !== undefined
      ? quantify(make, kind, target, names, predicate)
      : (names as Expansion);
  };
}

/** `map` and `transformList`: with one more argument, a filter stands before the transformation. */
function collect(count: 1 | 2): Expander {
  return (make, target, args) => {
    const names = variables(
      args.slice(0, count),
      count === 1 ? "argument is not an identifier" : "argument must be a simple name",
    );
    if (!Array.isArray(names)) return names;
    const [first, second] = args.slice(count);
    const transform = second ?? first ?? make.literal(null);
    const added = make.call("_+_", make.accumulator(), make.list(transform));
    return accumulate(make, target, names, make.list(), second === undefined ? undefined : first, added);
  };
}

function accumulate(
  make: Factory,
  range: Expr,
  names: readonly string[],
  init: Expr,
  filter: Expr | undefined,
  added: Expr,
): Expr {
  const step = filter === undefined ? added : make.call("_?_:_", filter, added, make.accumulator());
  return make.loop(range, names, { init, condition: make.literal(true), step, result: make.accumulator() });
}

const filter: Expander = (make, target, args) => {
  const names = variables(args.slice(0, 1), "argument is not an identifier");
  const [variable, predicate] = args;
  if (!Array.isArray(names) || variable === undefined || predicate === undefined) return names as Expansion;
  const added = make.call("_+_", make.accumulator(), make.list(copyExpr(variable)));
  return accumulate(make, target, names, make.list(), predicate, added);
};

/** `transformMap` and `transformMapEntry`. */
function collectMap(entries: boolean): Expander {
  return (make, target, args) => {
    const names = variables(args.slice(0, 2), "argument must be a simple name");
    if (!Array.isArray(names)) return names;
    const [first, second] = args.slice(2);
    const transform = second ?? first ?? make.literal(null);
    const key = make.ident(names[0] ?? "");
    const inserted = entries
      ? make.call("cel.@mapInsert", make.accumulator(), transform)
      : make.call("cel.@mapInsert", make.accumulator(), key, transform);
    return accumulate(make, target, names, make.map(), second === undefined ? undefined : first, inserted);
  };
}

function optional(name: string, flat: boolean): Expander {
  return (make, target, [variable, transform]) => {
    if (variable?.kind !== "ident" || transform === undefined) {
      return refused(variable ?? target, `${name}() variable name must be a simple identifier`);
    }
    const bound = make.bind(variable.name, make.method("value", copyExpr(target)), transform);
    const present = flat ? bound : make.call("optional.of", bound);
    return make.call("_?_:_", make.method("hasValue", target), present, make.call("optional.none"));
  };
}

const sortBy: Expander = (make, target, args) => {
  const name = "@__sortBy_input__";
  if (target.kind === "literal" || target.kind === "map" || target.kind === "struct") {
    return refused(target, "sortBy can only be applied to a list, identifier, comprehension, call or select expression");
  }
  const keys = collect(1)(make, make.ident(name), args);
  return keys.kind === "refused" ? keys : make.bind(name, target, make.method("@sortByAssociatedKeys", make.ident(name), keys));
};

const MACROS: Readonly<Record<string, Expander>> = {
  "all/2": quantifier("all", 1),
  "exists/2": quantifier("exists", 1),
  "exists_one/2": quantifier("existsOne", 1),
  "existsOne/2": quantifier("existsOne", 1),
  "map/2": collect(1),
  "map/3": collect(1),
  "filter/2": filter,
  "all/3": quantifier("all", 2),
  "exists/3": quantifier("exists", 2),
  "existsOne/3": quantifier("existsOne", 2),
  "exists_one/3": quantifier("existsOne", 2),
  "transformList/3": collect(2),
  "transformList/4": collect(2),
  "transformMap/3": collectMap(false),
  "transformMap/4": collectMap(false),
  "transformMapEntry/3": collectMap(true),
  "transformMapEntry/4": collectMap(true),
  "optMap/2": optional("optMap", false),
  "optFlatMap/2": optional("optFlatMap", true),
  "sortBy/2": sortBy,
};

/** What a call is short for; undefined for calls that are no macros. Those of cel-go's standard, two-variable, optional and list libraries. */
export function expandMacro(pos: number, fn: string, target: Expr | undefined, args: readonly Expr[]): Expansion | undefined {
  if (target === undefined) {
    const [field] = args;
    if (fn !== "has" || args.length !== 1 || field === undefined) return undefined;
    if (field.kind !== "select") return refused(field, "invalid argument to has() macro");
    return { kind: "select", pos, operand: field.operand, field: field.field, test: true };
  }
  const key = `${fn}/${args.length}`;
  return Object.hasOwn(MACROS, key) ? MACROS[key]?.(new Factory(pos), target, args) : undefined;
}
