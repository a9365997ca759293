import type { Process } from "../process.ts";
import { ShellSyntaxError } from "./words.ts";

/** Longest value of a variable or a substitution, in characters. */
export const VALUE_LENGTH_MAX: number = 1024 * 1024;
/** Most variables of a shell. */
const VARIABLES_MAX = 20_000;

/** What a shell knows beside its environment. */
export interface ShellState {
  /** Its own name, and what it was given: `$0`, `$1`, ... */
  arguments: readonly string[];
  /** What the last command ended with: `$?`. */
  last: number;
}

/** The value of a variable, the shell's own among them; undefined when it has none. */
export function variable(name: string, state: ShellState, { env }: Process): string | undefined {
  if (name === "?") return String(state.last);
  if (name === "$") return "1";
  if (name === "#") return String(state.arguments.length - 1);
  if (name === "@" || name === "*") return state.arguments.slice(1).join(" ");
  return /^\d+$/.test(name) ? state.arguments[Number(name)] : env.get(name);
}

/** Gives a variable its value. Throws when there are too many, or it is too long. */
export function assign({ env }: Process, name: string, value: string): void {
  if (value.length > VALUE_LENGTH_MAX || (env.size >= VARIABLES_MAX && !env.has(name))) {
    throw new ShellSyntaxError(`${name.slice(0, 100)}: out of memory`);
  }
  env.set(name, value);
}

/** Both together. Throws when that is longer than a value may be. */
export function joined(before: string, more: string): string {
  if (before.length + more.length > VALUE_LENGTH_MAX) throw new ShellSyntaxError("out of memory");
  return before + more;
}
