import { editDistance } from "./edit-distance.ts";

/** The value that a flag of each type parses to. */
interface FlagValues {
  readonly string: string;
  readonly int: number;
  readonly bool: boolean;
  readonly strings: readonly string[];
}

/** One flag, declared once: parsing, help and documentation derive from it. */
export interface FlagSpec<K extends keyof FlagValues = keyof FlagValues> {
  readonly type: K;
  readonly default: FlagValues[K];
  /** One line for `--help`. */
  readonly help: string;
  /** Each time a flag of `strings` is given it is one of them, commas and all. */
  readonly isWhole?: boolean;
  /** Shown in the help in place of the type. */
  readonly placeholder?: string;
  /** Smallest and largest value of an `int`. */
  readonly min?: number;
  readonly max?: number;
}

export type FlagSet = Readonly<Record<string, FlagSpec>>;

/** What a command line says, by flag name. */
export type ParsedFlags<S extends FlagSet> = { readonly [N in keyof S]: FlagValues[S[N]["type"]] };

/** A command line that cannot be understood. The message says what to do and is meant for a terminal. */
export class FlagError extends Error {
  override readonly name = "FlagError";
}

/**
 * Parses `--name value`, `--name=value` and `--bool`; dashes and underscores are interchangeable, as in upstream's
 * guides. Throws {@link FlagError} for an unknown flag (naming the nearest known one), a bad value or a stray argument.
 */
export function parseFlags<const S extends FlagSet>(specs: S, args: readonly string[]): ParsedFlags<S> {
  const values: Record<string, unknown> = Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spec.default]));
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    const match = /^--?([A-Za-z0-9][\w.-]*)(?:=([\s\S]*))?$/.exec(arg);
    if (!match) throw new FlagError(`unexpected argument "${arg}": flags look like --name=value`);
    const name = (match[1] ?? "").replaceAll("_", "-");
    const spec = specs[name];
    if (!spec) throw new FlagError(unknownFlag(name, Object.keys(specs)));
    let text = match[2];
    if (text === undefined && spec.type === "bool") text = "true";
    if (text === undefined) text = args[++i];
    if (text === undefined) throw new FlagError(`flag --${name} needs a value: ${spec.help}`);
    const value = parseValue(name, spec, text);
    values[name] =
      spec.type === "strings" && values[name] !== spec.default ? [...(values[name] as string[]), ...(value as string[])] : value;
  }
  return values as ParsedFlags<S>;
}

function unknownFlag(name: string, known: readonly string[]): string {
  const nearest = known.map((k) => ({ k, distance: editDistance(name, k) })).sort((a, b) => a.distance - b.distance)[0];
  const hint = nearest && nearest.distance <= Math.max(2, name.length / 2) ? `; did you mean --${nearest.k}?` : "";
  return `unknown flag: --${name}${hint} (--help lists all)`;
}

function parseValue(name: string, spec: FlagSpec, text: string): unknown {
  switch (spec.type) {
    case "string":
      return text;
    case "strings":
      return (spec.isWhole === true ? [text] : text.split(",")).filter((part) => part !== "");
    case "bool": {
      if (/^(true|t|1)$/i.test(text)) return true;
      if (/^(false|f|0)$/i.test(text)) return false;
      throw new FlagError(`flag --${name} takes true or false, not "${text}"`);
    }
    case "int": {
      const value = Number(text);
      const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = spec;
      if (text.trim() !== "" && Number.isInteger(value) && value >= min && value <= max) return value;
      const range = spec.min === undefined || spec.max === undefined ? "" : ` from ${min} to ${max}`;
      throw new FlagError(`flag --${name} takes a whole number${range}, not "${text}"`);
    }
  }
}

/** The flags as `--help` prints them: one line each, aligned, with defaults. */
export function describeFlags(specs: FlagSet): string {
  const rows = Object.entries(specs).map(([name, spec]) => {
    const value = spec.type === "bool" ? "" : ` ${spec.placeholder ?? spec.type}`;
    const fallback = spec.default === "" || spec.default === false || (Array.isArray(spec.default) && spec.default.length === 0);
    return { left: `      --${name}${value}`, right: `${spec.help}${fallback ? "" : ` (default ${String(spec.default)})`}` };
  });
  const width = Math.max(...rows.map((row) => row.left.length)) + 3;
  return rows.map((row) => row.left.padEnd(width) + row.right).join("\n");
}
