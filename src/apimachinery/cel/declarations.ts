import { type CelType, formatType, INT } from "./types.ts";
import type { CelValue } from "./values.ts";

/** Computes a call's value; the receiver of a method is the first argument. Throws a CelError. */
export type Implementation = (args: readonly CelValue[]) => CelValue;

/** One signature of a function. */
export interface Overload {
  /** Upstream's name of it: costs are told by it. */
  readonly id: string;
  readonly member: boolean;
  /** Of a method, the receiver first. */
  readonly args: readonly CelType[];
  readonly result: CelType;
  readonly run: Implementation;
  /** The type variables in the signature. */
  readonly variables: readonly string[];
}

/** A function with all its signatures, by name. Operators are called `_+_` and the like. */
export type Functions = ReadonlyMap<string, readonly Overload[]>;

/** One signature of one function, to be put together by {@link collectFunctions}. */
export interface Declaration extends Overload {
  readonly name: string;
}

/** Declares a function of the form `name(args)`. */
export function declareFunction(
  name: string,
  id: string,
  args: readonly CelType[],
  result: CelType,
  run: Implementation,
): Declaration {
  return { name, id, member: false, args, result, run, variables: variablesOf([...args, result]) };
}

/** Declares a function of the form `receiver.name(args)`. */
export function declareMethod(
  name: string,
  id: string,
  args: readonly CelType[],
  result: CelType,
  run: Implementation,
): Declaration {
  return { name, id, member: true, args, result, run, variables: variablesOf([...args, result]) };
}

/** The functions of several libraries. */
export function collectFunctions(...libraries: readonly (readonly Declaration[])[]): Functions {
  const functions = new Map<string, Overload[]>();
  for (const declaration of libraries.flat()) {
    const known = functions.get(declaration.name);
    if (known === undefined) functions.set(declaration.name, [declaration]);
    else known.push(declaration);
  }
  return functions;
}

function variablesOf(types: readonly CelType[]): string[] {
  const names = new Set<string>();
  const walk = (type: CelType): void => {
    if (type.kind === "param") names.add(type.name);
    for (const param of type.params) walk(param);
  };
  for (const type of types) walk(type);
  return [...names];
}

/** What names and objects mean to an expression. */
export interface Environment {
  readonly functions: Functions;
  readonly variables: ReadonlyMap<string, CelType>;
  /** Names of types that may stand in an expression, such as `string`. */
  readonly typeNames: Pick<ReadonlyMap<string, CelType>, "get">;
  /** The fields of a struct type; undefined for a name that is none. */
  readonly fields: (struct: string) => Pick<ReadonlyMap<string, CelType>, "get"> | undefined;
}

/** An environment with further variables and structs. */
export function extendEnvironment(
  base: Environment,
  variables: Readonly<Record<string, CelType>>,
  structs: ReadonlyMap<string, ReadonlyMap<string, CelType>> = new Map(),
): Environment {
  return {
    ...base,
    variables: new Map([...base.variables, ...Object.entries(variables)]),
    fields: (name) => structs.get(name) ?? base.fields(name),
  };
}

/** A type by name, for overloads whose name has it in it. */
export function typeWord(type: CelType): string {
  return type === INT ? "int" : formatType(type);
}
