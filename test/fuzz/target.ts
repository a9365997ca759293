/** A parser under fuzzing: bytes go in, and either a result or one of its own errors comes out. */
export interface FuzzTarget {
  /** Valid and nearly valid inputs to begin with; those of `corpus/NAME/` come on top. */
  readonly seeds: readonly (string | Uint8Array)[];
  /** Takes one input. Throws only for faults: errors that callers are promised are caught in here. */
  readonly run: (bytes: Buffer) => void;
  /** What has to be loaded before the first input. */
  readonly prepare?: () => Promise<void>;
  /** CPU time for one input of up to 4 KiB, uninstrumented; {@link INPUT_MS_MAX} when absent. */
  readonly maxMs?: number;
}

/** A result that breaks a promise, such as a round trip that does not come back. */
export class FaultError extends Error {
  override readonly name = "FaultError";
}

/** Throws a {@link FaultError} unless the condition holds. */
export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new FaultError(message);
}

type ErrorClass = abstract new (...args: never[]) => unknown;

/**
 * Runs a parser and swallows the errors that it is documented to throw; undefined for those. Subclasses of a class count. To be told
 * by `Error` itself means plain errors: never TypeError, RangeError and their like, which are faults of the code.
 */
export function refusing<T>(allowed: readonly ErrorClass[], parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    const plain = allowed.includes(Error) && error instanceof Error && Object.getPrototypeOf(error) === Error.prototype;
    if (plain || allowed.some((one) => one !== Error && error instanceof one)) return undefined;
    throw error;
  }
}
