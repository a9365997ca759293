import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import { StorageError } from "#storage/kv.ts";

/** What clients are told where the store failed: as upstream a 500 with the store's own words and no reason. Other errors stay as they are. */
export function storageFailure(error: unknown): unknown {
  if (!(error instanceof StorageError)) return error;
  return plainError(error.code === "TooLarge" ? "etcdserver: request is too large" : error.message);
}
