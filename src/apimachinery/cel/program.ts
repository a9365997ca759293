import { type Comprehension, children, type Expr, isBinding } from "./ast.ts";
import { IDENT_COST, LIST_COST, MAP_COST, STRUCT_COST } from "./cost/factors.ts";
import { callCost } from "./cost/runtime-cost.ts";
import type { Environment } from "./declarations.ts";
import { isPresent, selectField, truth } from "./operations.ts";
import {
  attempt,
  CostExceeded,
  dispatch,
  entriesOf,
  type Frame,
  index,
  iterate,
  logical,
  notStrictlyFalse,
  orElse,
  type Step,
  spend,
  type Variables,
} from "./steps.ts";
import {
  ArrayList,
  CelError,
  CelList,
  type CelValue,
  EntryMap,
  noSuchOverload,
  Optional,
  StructMap,
  TypeValue,
} from "./values.ts";

/** Why an evaluation was given up. */
export const COST_EXCEEDED = "operation cancelled: actual cost limit exceeded";

/** What an evaluation came to. */
export type Outcome =
  | { readonly value: CelValue; readonly cost: number }
  | { readonly error: string; readonly cost: number; readonly cancelled: boolean };

/** A checked expression, ready to run. Stops when the cost goes beyond the limit: no expression runs for ever. */
export interface Program {
  run(variables: Variables, limit: number): Outcome;
}

/** Makes a program of a checked expression. Throws a CelError where a conversion of a literal fails. */
export function compileProgram(expr: Expr, environment: Environment): Program {
  const planner = new Planner(environment);
  const step = planner.plan(expr);
  return {
    run(variables, limit) {
      const frame: Frame = { variables, locals: new Array(planner.slots), limit, cost: 0 };
      try {
        return { value: step(frame), cost: frame.cost };
      } catch (thrown) {
        if (thrown instanceof CostExceeded) return { error: COST_EXCEEDED, cost: frame.cost, cancelled: true };
        if (thrown instanceof CelError) return { error: thrown.message, cost: frame.cost, cancelled: false };
        throw thrown;
      }
    },
  };
}

const CONVERSIONS = new Set(["bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"]);

/** Turns expressions into closures; variables of loops get slots. */
class Planner {
  slots = 0;
  readonly #environment: Environment;
  readonly #scope: { readonly name: string; readonly slot: number }[] = [];
  /** Steps that always give the same value, at no cost. */
  readonly #constants = new Map<Step, CelValue>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  plan(expr: Expr): Step {
    switch (expr.kind) {
      case "literal":
        return this.#constant(expr.value);
      case "ident":
        return this.#ident(expr.name);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct":
        return this.#struct(expr);
      default:
        return isBinding(expr) ? this.#bind(expr) : this.#loop(expr);
    }
  }

  #constant(value: CelValue): Step {
    const step = () => value;
    this.#constants.set(step, value);
    return step;
  }

  #ident(given: string): Step {
    const slot = this.#scope.findLast(({ name }) => name === given)?.slot;
    if (slot !== undefined) {
      return (frame) => {
        spend(frame, IDENT_COST);
        const value = frame.locals[slot];
        if (value instanceof CelError) throw value;
        return value as CelValue;
      };
    }
    const name = given.startsWith(".") ? given.slice(1) : given;
    const type = this.#environment.variables.has(name) ? undefined : this.#environment.typeNames.get(name);
    if (type !== undefined) return this.#constant(new TypeValue(type.name));
    return (frame) => {
      spend(frame, IDENT_COST);
      const value = frame.variables(name);
      if (value === undefined) throw new CelError(`no such attribute(s): ${name}`);
      return value;
    };
  }

  /** What it costs to begin a path at something that is no variable. */
  #pathCost(operand: Expr): number {
    if (operand.kind === "ident" || (operand.kind === "select" && !operand.test)) return IDENT_COST;
    const path = operand.kind === "call" && ["_[_]", "_[?_]", "_?._", "_?_:_"].includes(operand.fn);
    return path ? IDENT_COST : 2 * IDENT_COST;
  }

  #select(expr: Expr & { kind: "select" }): Step {
    const operand = this.plan(expr.operand);
    const { field } = expr;
    if (expr.test) return (frame) => isPresent(operand(frame), field);
    const cost = this.#pathCost(expr.operand);
    return (frame) => {
      const value = operand(frame);
      spend(frame, cost);
      return selectField(value, field);
    };
  }

  #call(expr: Expr & { kind: "call" }): Step {
    const all = expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    const args = all.map((arg) => this.plan(arg));
    const [first, second, third] = args as [Step, Step, Step];
    switch (expr.fn) {
      case "_&&_":
        return logical(args, false);
      case "_||_":
        return logical(args, true);
      case "_?_:_":
        return (frame) => (truth(first(frame)) ? second(frame) : third(frame));
      case "@not_strictly_false":
        return notStrictlyFalse(first);
      case "_[_]":
        return index(first, second, this.#pathCost(all[0] as Expr), false);
      case "_[?_]":
      case "_?._":
        return index(first, second, this.#pathCost(all[0] as Expr), true);
      case "or":
      case "orValue":
        if (expr.target !== undefined) return orElse(first, second, expr.fn === "or");
    }
    return this.#plainCall(expr, args);
  }

  #plainCall(expr: Expr & { kind: "call" }, args: readonly Step[]): Step {
    const { fn, overloads: chosen = [] } = expr;
    const overloads = (this.#environment.functions.get(fn) ?? []).filter(({ id }) => chosen.includes(id));
    const [first] = args;
    const known = first === undefined ? undefined : this.#constants.get(first);
    if (CONVERSIONS.has(fn) && args.length === 1 && known !== undefined) return this.#constant(dispatch(overloads, [known]));
    const list = args[1] === undefined ? undefined : this.#constants.get(args[1]);
    const free = fn === "@in" && list instanceof CelList && chosen[0] === "in_list";
    const cost = free ? () => 0 : callCost(fn, chosen.length === 1 ? (chosen[0] ?? "") : "");
    return (frame) => {
      const values = args.map((arg) => arg(frame));
      const result = dispatch(overloads, values);
      spend(frame, cost(values, result));
      return result;
    };
  }

  #list(expr: Expr & { kind: "list" }): Step {
    const elements = expr.elements.map((element) => this.plan(element));
    const { optional } = expr;
    const build: Step = (frame) => {
      const values: CelValue[] = [];
      elements.forEach((element, at) => {
        const value = element(frame);
        if (!optional.has(at)) values.push(value);
        else if (!(value instanceof Optional)) throw noSuchOverload();
        else if (value.value !== undefined) values.push(value.value);
      });
      return new ArrayList(values);
    };
    return this.#literal(elements, build, LIST_COST);
  }

  #map(expr: Expr & { kind: "map" }): Step {
    const entries = expr.entries.map(({ key, value, optional }) => [this.plan(key), this.plan(value), optional] as const);
    const build: Step = (frame) => new EntryMap(entriesOf(frame, entries));
    return this.#literal([...entries.map(([key]) => key), ...entries.map(([, value]) => value)], build, MAP_COST);
  }

  #struct(expr: Expr & { kind: "struct" }): Step {
    const name = expr.name.startsWith(".") ? expr.name.slice(1) : expr.name;
    const entries = expr.fields.map(({ key, value, optional }) => [() => key, this.plan(value), optional] as const);
    return (frame) => {
      const made = new StructMap(name, entriesOf(frame, entries));
      spend(frame, STRUCT_COST);
      return made;
    };
  }

  /** A list or map of constants is one itself. */
  #literal(parts: readonly Step[], build: Step, cost: number): Step {
    if (parts.every((part) => this.#constants.has(part))) {
      return this.#constant(build({ variables: () => undefined, locals: [], limit: 0, cost: 0 }));
    }
    return (frame) => {
      const made = build(frame);
      spend(frame, cost);
      return made;
    };
  }

  #declare(name: string): number {
    const slot = this.slots++;
    this.#scope.push({ name, slot });
    return slot;
  }

  #bind(expr: Comprehension): Step {
    const init = this.plan(expr.init);
    const slot = this.#declare(expr.accumulator);
    const result = this.plan(expr.result);
    this.#scope.pop();
    return (frame) => {
      frame.locals[slot] = attempt(init, frame);
      return result(frame);
    };
  }

  #loop(expr: Comprehension): Step {
    const range = this.plan(expr.range);
    const init = this.plan(expr.init);
    const accumulator = this.#declare(expr.accumulator);
    const first = this.#declare(expr.variable);
    const second = expr.variable2 === undefined ? undefined : this.#declare(expr.variable2);
    const condition = this.plan(expr.condition);
    const step = this.plan(expr.step);
    this.#scope.length -= second === undefined ? 1 : 2;
    const result = this.plan(expr.result);
    this.#scope.pop();
    return (frame) => {
      const over = range(frame);
      frame.locals[accumulator] = attempt(init, frame);
      for (const [key, value] of iterate(over, second !== undefined)) {
        frame.locals[first] = key;
        if (second !== undefined) frame.locals[second] = value;
        if (attempt(condition, frame) === false) break;
        frame.locals[accumulator] = attempt(step, frame);
      }
      return result(frame);
    };
  }
}

/** Whether an expression speaks of a variable. */
export function usesVariable(expr: Expr, name: string): boolean {
  if (expr.kind === "ident" && expr.name === name) return true;
  return children(expr).some((child) => usesVariable(child, name));
}
