import { createRequire } from "node:module";
import type pinoModule from "pino";

/** Fields that go with a message. Never secrets, never bodies. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logging: `fields` first, as the message's context. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds `fields` to each line. */
  child(fields: LogFields): Logger;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];

/** A logger that writes one JSON object a line to standard error. What writes them is loaded for the first line: few starts have one. */
export function createLogger(options: { readonly component: string; readonly level: LogLevel }): Logger {
  return lazyLogger(LEVELS.indexOf(options.level), () => {
    const pino: typeof pinoModule = createRequire(import.meta.url)("pino");
    return pino({ level: options.level, base: { component: options.component } }, pino.destination({ fd: 2, sync: true }));
  });
}

function lazyLogger(threshold: number, make: () => Logger): Logger {
  let made: Logger | undefined;
  const actual = (): Logger => {
    made ??= make();
    return made;
  };
  const writer =
    (level: "debug" | "info" | "warn" | "error"): Logger["info"] =>
    (fields, message) => {
      if (LEVELS.indexOf(level) >= threshold) actual()[level](fields, message);
    };
  return {
    debug: writer("debug"),
    info: writer("info"),
    warn: writer("warn"),
    error: writer("error"),
    child: (fields) => lazyLogger(threshold, () => actual().child(fields)),
  };
}

/** Says nothing: for tests and for programs that were told to be quiet. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};
