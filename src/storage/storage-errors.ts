import { StorageError, VALUE_BYTES_MAX } from "./kv.ts";

/** The revision is older than what is kept; `oldest` can still be read. Text of etcd's `ErrCompacted`. */
export function compacted(oldest: number): StorageError {
  return new StorageError("Compacted", "mvcc: required revision has been compacted", oldest);
}

/** Text of etcd's `ErrFutureRev`. */
export function futureRevision(): StorageError {
  return new StorageError("FutureRevision", "mvcc: required revision is a future revision");
}

/** The store was closed. */
export function closed(): StorageError {
  return new StorageError("Unavailable", "the store is closed");
}

/** The medium refused a write, for the reason given. */
export function notWritten(cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StorageError("Unavailable", `the data could not be written: ${reason}`);
}

/** Throws `TooLarge` for a value over the limit. Text of etcd's `ErrRequestTooLarge`. */
export function checkValueSize(value: Uint8Array): void {
  if (value.byteLength > VALUE_BYTES_MAX) throw new StorageError("TooLarge", "etcdserver: request is too large");
}
