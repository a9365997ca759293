import { StorageError } from "../kv.ts";
import { compacted, futureRevision } from "../storage-errors.ts";

/** Codes of gRPC that are told apart. */
export const DEADLINE_EXCEEDED = 4;
/** See {@link DEADLINE_EXCEEDED}. */
export const RESOURCE_EXHAUSTED = 8;
/** See {@link DEADLINE_EXCEEDED}. */
export const UNAVAILABLE = 14;

/** A call that failed, by gRPC's status. */
export class GrpcError extends Error {
  override readonly name = "GrpcError";
  readonly code: number;
  /** The server has surely not seen the call: it can be made again, whatever it does. */
  readonly unsent: boolean;
  constructor(code: number, message: string, unsent = false) {
    super(message);
    this.code = code;
    this.unsent = unsent;
  }

  /** Another member may do better. */
  get elsewhere(): boolean {
    return this.code === UNAVAILABLE || this.code === DEADLINE_EXCEEDED;
  }
}

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
  return meaning === undefined ? new StorageError("Unavailable", error.message) : meaning[1](error.message);
}
