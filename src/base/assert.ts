/** Thrown when something that must always hold does not: a bug in Kybern, never bad input. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** States what holds here; throws {@link AssertionError} when it does not. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
