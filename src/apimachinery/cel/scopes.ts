import type { Environment } from "./declarations.ts";
import { type CelType, typeOf } from "./types.ts";

/** The names that an expression may use: of the loops around it, and of its environment. */
export class Scopes {
  readonly #environment: Environment;
  readonly #loops: ReadonlyMap<string, CelType>[] = [];

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  enter(names: ReadonlyMap<string, CelType>): void {
    this.#loops.push(names);
  }

  leave(): void {
    this.#loops.pop();
  }

  lookup(name: string): CelType | undefined {
    return this.local(name) ?? this.global(name);
  }

  /** A variable of a loop: the innermost of that name. */
  local(name: string): CelType | undefined {
    for (let index = this.#loops.length - 1; index >= 0; index--) {
      const type = this.#loops[index]?.get(name);
      if (type !== undefined) return type;
    }
    return undefined;
  }

  /** A variable or a type of the environment. */
  global(given: string): CelType | undefined {
    const name = given.startsWith(".") ? given.slice(1) : given;
    const { variables, typeNames } = this.#environment;
    const variable = variables.get(name);
    if (variable !== undefined) return variable;
    const type = typeNames.get(name);
    return type === undefined ? undefined : typeOf(type);
  }
}
