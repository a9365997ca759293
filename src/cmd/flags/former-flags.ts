import type { FlagSpec } from "#component-base/flags.ts";
import type { Logger } from "#component-base/logging.ts";

/** A flag that Kubernetes had or has for things that are otherwise here: it is taken, and what it comes to is said. */
export interface FormerFlag {
  readonly type: FlagSpec["type"];
  /** What becomes of it: one sentence for the log. */
  readonly says: string;
}

/** Flags of former years, by name. */
export type FormerFlags = Readonly<Record<string, FormerFlag>>;

const DEFAULTS = { string: "", int: 0, bool: false, strings: [] } as const;

/** As {@link parseFlags} takes them. */
export function formerFlagSpecs(table: FormerFlags): Readonly<Record<string, FlagSpec>> {
  return Object.fromEntries(
    Object.entries(table).map(([name, { type, says }]) => [name, { type, default: DEFAULTS[type], help: says }]),
  );
}

/** One line of the log for each of them that was given. */
export function sayFormerFlags(table: FormerFlags, given: ReadonlySet<string>, logger: Logger): void {
  for (const [name, { says }] of Object.entries(table)) {
    if (given.has(name)) logger.info({ flag: `--${name}` }, says);
  }
}
