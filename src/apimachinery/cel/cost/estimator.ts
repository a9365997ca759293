import { type Call, type Comprehension, type Expr, isBinding, type ListLiteral, type MapLiteral, type Select } from "../ast.ts";
import { ERROR, isScalar } from "../types.ts";
import { sizeOf } from "../values.ts";
import { estimateBuiltin } from "./estimate-builtins.ts";
import { estimateLibraryCall } from "./estimate-library.ts";
import { estimateListCall } from "./estimate-lists.ts";
import type { CallEstimate, EstimatedNode, SizeLimit } from "./estimated-node.ts";
import { IDENT_COST, LIST_COST, MAP_COST, STRUCT_COST } from "./factors.ts";
import { exactly, plus, type Range, times, UNKNOWN, UNLIMITED, union } from "./range.ts";

/** The least and the most that a checked expression can cost; cel-go's `checker.Cost` with Kubernetes' estimates, where `has()` is free. */
export function estimateCost(expr: Expr, limit: SizeLimit): Range {
  return new Estimator(limit).cost(expr);
}

interface EntrySize {
  readonly list: boolean;
  readonly key: Range;
  readonly value: Range;
}

interface Local {
  readonly path: readonly string[];
  readonly size: Range | undefined;
  readonly entry: EntrySize | undefined;
}

/** The tables of one estimate: sizes and paths that were found for parts of the expression. */
export class Estimator {
  readonly #limit: SizeLimit;
  readonly #paths = new Map<Expr, readonly string[]>();
  readonly #sizes = new Map<Expr, Range>();
  readonly #entries = new Map<Expr, EntrySize>();
  readonly #locals = new Map<string, Local[]>();

  constructor(limit: SizeLimit) {
    this.#limit = limit;
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case "literal":
        return exactly(0);
      case "ident":
        this.#paths.set(expr, this.#peek(expr.name)?.path ?? [expr.name]);
        return exactly(IDENT_COST);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct":
        return plus(exactly(STRUCT_COST), ...expr.fields.map(({ value }) => this.cost(value)));
      default:
        return isBinding(expr) ? this.#bind(expr) : this.#loop(expr);
    }
  }

  #select(expr: Select): Range {
    const operand = this.cost(expr.operand);
    if (expr.test) return operand;
    this.#paths.set(expr, [...this.#path(expr.operand), expr.field]);
    const kind = expr.operand.type?.kind;
    return kind === "map" || kind === "struct" || kind === "param" ? plus(operand, exactly(IDENT_COST)) : operand;
  }

  #call(expr: Call): Range {
    const { args, target, fn, overloads = [] } = expr;
    const [first, second] = args;
    if (fn === "dyn" && first !== undefined) {
      const cost = this.cost(first);
      this.#copySizes(expr, first);
      return plus(exactly(1), cost);
    }
    const argCosts = args.map((arg) => this.cost(arg));
    const nodes = args.map((arg) => this.#node(arg));
    if (overloads.length === 0) return exactly(0);
    const targetCost = target === undefined ? exactly(0) : this.cost(target);
    const targetNode = target === undefined ? undefined : this.#node(target);
    let cost: Range = { min: UNLIMITED, max: 0 };
    let size: Range | undefined;
    for (const overload of overloads) {
      const estimate = this.#overload(expr, overload, targetNode, nodes, argCosts);
      cost = union(cost, estimate.cost);
      if (estimate.size !== undefined) size = size === undefined ? estimate.size : union(size, estimate.size);
      if (first !== undefined && second !== undefined && (overload === "index_list" || overload === "index_map")) {
        size = this.#entrySize(first)?.value;
        this.#paths.set(expr, [...this.#path(first), overload === "index_list" ? "@items" : "@values"]);
      }
      size ??= this.#size(expr);
    }
    if (size !== undefined) this.#sizes.set(expr, size);
    return plus(targetCost, cost);
  }

  #overload(
    expr: Call,
    overload: string,
    target: EstimatedNode | undefined,
    args: EstimatedNode[],
    costs: Range[],
  ): CallEstimate {
    const own =
      estimateListCall(overload, target, args, this.#limit) ?? estimateLibraryCall(expr.fn, overload, target, args, this.#limit);
    if (own !== undefined) return { cost: plus(own.cost, ...costs), size: own.size };
    if (overload === "conditional") return this.#conditional(expr, args, costs);
    if (overload.startsWith("add_")) this.#addEntries(expr, args);
    return estimateBuiltin(overload, target, args, costs);
  }

  #conditional(expr: Call, args: EstimatedNode[], [condition, yes, no]: Range[]): CallEstimate {
    const sizes = args.slice(1).map(({ size }) => size ?? UNKNOWN);
    this.#addEntries(expr, args.slice(1));
    const branches = union(yes ?? UNKNOWN, no ?? UNKNOWN);
    return { cost: plus(condition ?? UNKNOWN, branches), size: union(sizes[0] ?? UNKNOWN, sizes[1] ?? UNKNOWN) };
  }

  #addEntries(expr: Call, args: EstimatedNode[]): void {
    const [a, b] = args.map(({ expr: arg }) => (arg === undefined ? undefined : this.#entrySize(arg)));
    if (a === undefined || b === undefined) return;
    this.#entries.set(expr, { list: a.list, key: union(a.key, b.key), value: union(a.value, b.value) });
  }

  #list(expr: ListLiteral): Range {
    const costs = expr.elements.map((element) => this.cost(element));
    const sizes = expr.elements.map((element) => this.#size(element) ?? UNKNOWN);
    this.#entries.set(expr, { list: true, key: exactly(1), value: unionOf(sizes) });
    return plus(exactly(LIST_COST), ...costs);
  }

  #map(expr: MapLiteral): Range {
    const costs = expr.entries.flatMap(({ key, value }) => [this.cost(key), this.cost(value)]);
    const keys = expr.entries.map(({ key }) => this.#size(key) ?? UNKNOWN);
    const values = expr.entries.map(({ value }) => this.#size(value) ?? UNKNOWN);
    this.#entries.set(expr, { list: false, key: unionOf(keys), value: unionOf(values) });
    return plus(exactly(MAP_COST), ...costs);
  }

  #loop(expr: Comprehension): Range {
    const { range, init, condition, step, result, variable, variable2 } = expr;
    const before = plus(this.cost(range), this.cost(init));
    this.#push(expr.accumulator, { path: this.#path(init), size: this.#size(init), entry: this.#entrySize(init) });
    const entry = this.#entrySize(range);
    const list = entry === undefined ? range.type?.kind === "list" : entry.list;
    const path = this.#path(range);
    const key: Local = { path: [...path, list ? "@indices" : "@keys"], size: entry?.key, entry: undefined };
    const value: Local = { path: [...path, list ? "@items" : "@values"], size: entry?.value, entry: undefined };
    this.#push(variable, variable2 === undefined && list ? value : key);
    if (variable2 !== undefined) this.#push(variable2, value);
    const each = plus(this.cost(step), this.cost(condition));
    this.#pop(variable);
    if (variable2 !== undefined) this.#pop(variable2);
    const after = this.cost(result);
    this.#pop(expr.accumulator);
    const count = this.#size(range) ?? UNKNOWN;
    this.#loopSize(expr, count);
    return plus(before, after, times(count, each));
  }

  #loopSize(expr: Comprehension, count: Range): void {
    const { init, step } = expr;
    if (init.kind === "literal") {
      const size = this.#size(init);
      if (size !== undefined) this.#sizes.set(expr, size);
    } else if (init.kind === "list" || init.kind === "map") {
      this.#sizes.set(expr, count);
      const entry = this.#entrySize(step);
      if (entry !== undefined) this.#entries.set(expr, entry);
    }
  }

  #bind(expr: Comprehension): Range {
    const before = plus(this.cost(expr.range), this.cost(expr.init));
    this.#push(expr.accumulator, { path: this.#path(expr.init), size: this.#size(expr.init), entry: this.#entrySize(expr.init) });
    const cost = plus(before, this.cost(expr.result));
    this.#pop(expr.accumulator);
    this.#copySizes(expr, expr.result);
    return cost;
  }

  #copySizes(to: Expr, from: Expr): void {
    const size = this.#size(from);
    if (size !== undefined) this.#sizes.set(to, size);
    const entry = this.#entrySize(from);
    if (entry !== undefined) this.#entries.set(to, entry);
  }

  #push(name: string, local: Local): void {
    const stack = this.#locals.get(name);
    if (stack === undefined) this.#locals.set(name, [local]);
    else stack.push(local);
  }

  #pop(name: string): void {
    this.#locals.get(name)?.pop();
  }

  #peek(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1);
  }

  #path(expr: Expr): readonly string[] {
    return (expr.kind === "ident" ? this.#peek(expr.name)?.path : undefined) ?? this.#paths.get(expr) ?? [];
  }

  #node(expr: Expr): EstimatedNode {
    const path = this.#path(expr);
    return {
      path: path.length === 0 || path[0] === "@result" ? undefined : path,
      type: expr.type ?? ERROR,
      expr,
      size: this.#size(expr),
    };
  }

  #entrySize(expr: Expr): EntrySize | undefined {
    return this.#entries.get(expr) ?? (expr.kind === "ident" ? this.#peek(expr.name)?.entry : undefined);
  }

  #size(expr: Expr): Range | undefined {
    const known = this.#sizes.get(expr) ?? literalSize(expr);
    if (known !== undefined) return known;
    const path = this.#path(expr);
    const limit = path.length === 0 ? undefined : this.#limit(path);
    if (limit !== undefined) {
      this.#sizes.set(expr, { min: 0, max: limit });
      return { min: 0, max: limit };
    }
    if (isScalar(expr.type ?? ERROR)) return exactly(1);
    return expr.kind === "ident" ? this.#peek(expr.name)?.size : undefined;
  }
}

function unionOf(sizes: readonly Range[]): Range {
  if (sizes.length === 0) return exactly(0);
  return sizes.reduce((a, b) => union(a, b));
}

function literalSize(expr: Expr): Range | undefined {
  if (expr.kind === "literal") return exactly(sizeOf(expr.value) ?? 1);
  if (expr.kind === "list") return exactly(expr.elements.length);
  return expr.kind === "map" ? exactly(expr.entries.length) : undefined;
}
