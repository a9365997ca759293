import { parseGoDuration } from "#apimachinery/go-duration.ts";
import { FlagError, type FlagSpec } from "#component-base/flags.ts";

/** A flag that names a file. */
export const file = (help: string, fallback = ""): FlagSpec<"string"> => text("FILE", help, fallback);

/** A flag that is a text. */
export const text = (placeholder: string, help: string, fallback = ""): FlagSpec<"string"> => ({
  type: "string",
  default: fallback,
  placeholder,
  help,
});

/** A flag of several texts with commas between. */
export const list = (placeholder: string, help: string, fallback: readonly string[] = []): FlagSpec<"strings"> => ({
  type: "strings",
  default: fallback,
  placeholder,
  help,
});

/** A flag that is a number of things. */
export const count = (help: string, fallback = 0): FlagSpec<"int"> => ({
  type: "int",
  default: fallback,
  min: 0,
  placeholder: "N",
  help,
});

/** A flag that names a port. */
export const port = (help: string, fallback: number): FlagSpec<"int"> => ({
  type: "int",
  default: fallback,
  min: 0,
  max: 65535,
  placeholder: "PORT",
  help,
});

/** A flag that is on or off. */
export const toggle = (help: string, fallback = false): FlagSpec<"bool"> => ({ type: "bool", default: fallback, help });

/** A flag's length of time, in milliseconds. Throws a {@link FlagError} for what is none. */
export function durationMs(name: string, value: string): number {
  try {
    return parseGoDuration(value);
  } catch {
    throw new FlagError(`flag --${name} takes a duration such as 30s or 5m, not "${value}"`);
  }
}

/** The names of the flags that a command line gives, with dashes. */
export function givenFlags(args: readonly string[]): ReadonlySet<string> {
  return new Set(args.flatMap((arg) => /^--?([A-Za-z0-9][\w.-]*)/.exec(arg)?.[1]?.replaceAll("_", "-") ?? []));
}
