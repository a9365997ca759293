import { FlagError, type FlagSpec, type ParsedFlags } from "#component-base/flags.ts";
import { createLogger, type Logger, type LogLevel } from "#component-base/logging.ts";
import { count, text, toggle } from "./flag-specs.ts";

const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"];
/** From this `--v` on, upstream's programs tell what only who looks for a fault wants to know. */
const DEBUG_VERBOSITY = 4;

type LogFlagTypes = {
  readonly v: "int";
  readonly "log-level": "string";
  readonly help: "bool";
  readonly version: "bool";
};

/** What all separate programs have: upstream's `--v`, this program's own `--log-level`, which wins, and what ends them at once. */
export const logFlags: { readonly [N in keyof LogFlagTypes]: FlagSpec<LogFlagTypes[N]> } = {
  v: count("How much is logged: from 4 on what helps to find a fault."),
  "log-level": text("LEVEL", "debug, info, warn, error or silent, in place of --v; to standard error."),
  help: toggle("Show this help."),
  version: toggle("Show the version."),
};

/** The logger that the flags ask for. Throws a {@link FlagError} for a level that nobody knows. */
export function loggerOf(component: string, flags: ParsedFlags<typeof logFlags>): Logger {
  const asked = flags["log-level"];
  if (asked !== "" && !LOG_LEVELS.includes(asked))
    throw new FlagError(`flag --log-level takes one of ${LOG_LEVELS.join(", ")}, not "${asked}"`);
  const level = asked !== "" ? asked : flags.v >= DEBUG_VERBOSITY ? "debug" : "info";
  return createLogger({ component, level: level as LogLevel });
}
