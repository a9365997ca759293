import type { Overload } from "./declarations.ts";
import type { Issue } from "./issues.ts";
import { assignable, assignableList, isDyn, type Mapping, mostGeneral, substitute } from "./type-unification.ts";
import { type CelType, DYN, ERROR, formatType, optionalOf, optionalParam, sameType, typeParam } from "./types.ts";

/** What is known of the types of one expression so far, and what does not fit in it. */
export class TypeInference {
  readonly issues: Issue[] = [];
  /** What type variables stand for. */
  #mapping: Mapping = new Map();
  #fresh = 0;

  /** Returns the type of what is wrong, of which nothing more is told. */
  report(pos: number, message: string): CelType {
    this.issues.push({ pos, message });
    return ERROR;
  }

  undeclared(pos: number, name: string): CelType {
    return this.report(pos, `undeclared reference to '${name}' (in container '')`);
  }

  mismatch(pos: number, wanted: CelType, found: CelType): CelType {
    return this.report(pos, `expected type '${formatType(wanted)}' but found '${formatType(found)}'`);
  }

  /** A type with what its variables stand for; those of which nothing is known stay. */
  known(type: CelType): CelType {
    return substitute(this.#mapping, type, false);
  }

  /** Likewise, in the end: variables of which nothing is known are anything. */
  settled(type: CelType): CelType {
    return substitute(this.#mapping, type, true);
  }

  variable(): CelType {
    return typeParam(`_var${this.#fresh++}`);
  }

  /** Whether a value of the one may stand where the other is wanted; what follows for type variables is kept. */
  assignable(from: CelType, to: CelType): boolean {
    const mapping = assignable(this.#mapping, from, to);
    if (mapping !== undefined) this.#mapping = mapping;
    return mapping !== undefined;
  }

  /** The type of elements of which one more is seen. */
  join(previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current;
    if (this.assignable(previous, current)) return mostGeneral(previous, current);
    // Told of later, where it is not allowed.
    return DYN;
  }

  /** The type in an optional one. */
  unwrap(pos: number, type: CelType): CelType {
    const inner = optionalParam(type);
    if (inner === undefined && !isDyn(type)) this.mismatch(pos, optionalOf(type), type);
    return inner ?? type;
  }

  /** The overloads that take such arguments, and what comes of them; undefined when there is none. */
  matching(
    overloads: readonly Overload[],
    given: readonly CelType[],
    member: boolean,
  ): { readonly ids: string[]; readonly result: CelType } | undefined {
    const ids: string[] = [];
    let result: CelType | undefined;
    for (const overload of overloads) {
      if (overload.member !== member || overload.args.length !== given.length) continue;
      const { args: wanted, result: promised } = this.#instantiate(overload);
      const mapping = assignableList(this.#mapping, given, wanted);
      if (mapping === undefined) continue;
      this.#mapping = mapping;
      ids.push(overload.id);
      const type = this.known(promised);
      if (result === undefined) result = type;
      else if (!isDyn(result) && !sameType(type, result)) result = DYN;
    }
    return result === undefined ? undefined : { ids, result };
  }

  #instantiate({ args, result, variables }: Overload): Pick<Overload, "args" | "result"> {
    if (variables.length === 0) return { args, result };
    const fresh: Mapping = new Map(variables.map((name) => [name, this.variable()]));
    return { args: args.map((arg) => substitute(fresh, arg, false)), result: substitute(fresh, result, false) };
  }
}
