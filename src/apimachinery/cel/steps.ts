import type { Overload } from "./declarations.ts";
import { indexValue } from "./operations.ts";
import { runtimeAccepts } from "./runtime-types.ts";
import { CelError, CelList, CelMap, type CelValue, noSuchOverload, Optional } from "./values.ts";

/** The value of a variable; undefined for one that has none. */
export type Variables = (name: string) => CelValue | undefined;

/** The limit is passed. */
export class CostExceeded {}

/** One evaluation under way. */
export interface Frame {
  readonly variables: Variables;
  readonly locals: (CelValue | CelError | undefined)[];
  readonly limit: number;
  cost: number;
}

/** A part of an expression, ready to run. Throws a CelError or {@link CostExceeded}. */
export type Step = (frame: Frame) => CelValue;

/** Counts a cost. */
export function spend(frame: Frame, cost: number): void {
  frame.cost += cost;
  if (frame.cost > frame.limit) throw new CostExceeded();
}

/** A loop goes on after a failure: a later element may decide it. */
export function attempt(step: Step, frame: Frame): CelValue | CelError {
  try {
    return step(frame);
  } catch (thrown) {
    if (thrown instanceof CelError) return thrown;
    throw thrown;
  }
}

/** What a loop's variables are in turn: elements or keys with one variable, indexes or keys with values with two. */
export function* iterate(over: CelValue, two: boolean): Iterable<readonly [CelValue, CelValue]> {
  if (over instanceof CelList) {
    for (let at = 0; at < over.size; at++) yield two ? [BigInt(at), over.at(at)] : [over.at(at), null];
  } else if (over instanceof CelMap) {
    for (const key of over.keys()) yield [key, two ? (over.find(key) ?? null) : null];
  } else throw noSuchOverload();
}

/** The entries of a map that an expression makes; optional ones may be left out. */
export function* entriesOf(
  frame: Frame,
  entries: readonly (readonly [Step, Step, boolean])[],
): Iterable<readonly [CelValue, CelValue]> {
  for (const [key, value, optional] of entries) {
    const made = value(frame);
    if (!optional) yield [key(frame), made];
    else if (!(made instanceof Optional)) throw noSuchOverload();
    else if (made.value !== undefined) yield [key(frame), made.value];
  }
}

/** `&&` and `||`: one deciding operand outweighs failures of the others. */
export function logical(args: readonly Step[], deciding: boolean): Step {
  return (frame) => {
    let failure: CelError | undefined;
    for (const arg of args) {
      const value = attempt(arg, frame);
      if (value === deciding) return deciding;
      if (value instanceof CelError) failure ??= value;
      else if (typeof value !== "boolean") failure ??= noSuchOverload();
    }
    if (failure !== undefined) throw failure;
    return !deciding;
  };
}

/** What ends the loop of `all`: false, but not a failure. */
export function notStrictlyFalse(arg: Step): Step {
  return (frame) => {
    const value = attempt(arg, frame);
    spend(frame, 1);
    return value !== false;
  };
}

/** An element or a field by a computed key. */
export function index(operand: Step, key: Step, cost: number, optional: boolean): Step {
  return (frame) => {
    const value = operand(frame);
    const at = key(frame);
    spend(frame, cost);
    return indexValue(value, at, optional);
  };
}

/** `or` and `orValue` of optionals. */
export function orElse(first: Step, second: Step, chained: boolean): Step {
  return (frame) => {
    const value = first(frame);
    if (!(value instanceof Optional)) throw noSuchOverload();
    if (value.value === undefined) return second(frame);
    return chained ? value : value.value;
  };
}

/** Calls the first signature that takes the values. */
export function dispatch(overloads: readonly Overload[], values: readonly CelValue[]): CelValue {
  for (const { args, run } of overloads) {
    if (args.every((type, at) => runtimeAccepts(type, values[at] ?? null))) return run(values);
  }
  throw noSuchOverload();
}
