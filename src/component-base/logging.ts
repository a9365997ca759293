import pino from "pino";

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

/** A logger that writes one JSON object a line to standard error. */
export function createLogger(options: { readonly component: string; readonly level: LogLevel }): Logger {
  return pino({ level: options.level, base: { component: options.component } }, pino.destination({ fd: 2, sync: true }));
}

/** Says nothing: for tests and for programs that were told to be quiet. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};
