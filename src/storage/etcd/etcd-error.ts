import { DEADLINE_EXCEEDED, GrpcError } from "#base/grpc/grpc-error.ts";
import { StorageError } from "../kv.ts";
import { compacted, futureRevision } from "../storage-errors.ts";

/** etcd's failures by their texts: its codes are shared by several. */
const MEANINGS: readonly (readonly [RegExp, (message: string) => StorageError])[] = [
  [/required revision has been compacted/, () => compacted(0)],
  [/required revision is a future revision/, () => futureRevision()],
  [/requested lease not found/, (message) => new StorageError("LeaseNotFound", message)],
  [
    /request is too large|received message larger than max/,
    () => new StorageError("TooLarge", "etcdserver: request is too large"),
  ],
  [/database space exceeded/, (message) => new StorageError("NoSpace", message)],
];

/** What a failed call means to a store's caller. */
export function storageError(error: unknown): unknown {
  if (!(error instanceof GrpcError)) return error;
  const meaning = MEANINGS.find(([text]) => text.test(error.message));
  return meaning === undefined ? new StorageError("Unavailable", wordsOf(error)) : meaning[1](error.message);
}

/** In the words of etcd's client for Go, which upstream's servers pass on to their clients. */
function wordsOf({ code, message, goText }: GrpcError): string {
  if (message.startsWith("etcdserver: ")) return message;
  if (code === DEADLINE_EXCEEDED) return "context deadline exceeded";
  return goText;
}
