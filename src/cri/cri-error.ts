/** What is asked of a runtime that does not exist there. */
export class NotFoundError extends Error {
  override readonly name = "NotFoundError";
}

/** A call that the runtime does not know: it is older than the call. */
export class UnimplementedError extends Error {
  override readonly name = "UnimplementedError";
}
