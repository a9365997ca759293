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

/** Throws `TooLarge` for a value over the limit. Text of etcd's `ErrRequestTooLarge`. */
export function checkValueSize(value: Uint8Array): void {
  if (value.byteLength > VALUE_BYTES_MAX) throw new StorageError("TooLarge", "etcdserver: request is too large");
}
