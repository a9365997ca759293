/**
 * The storage contract: keys, bytes and revisions, as etcd v3 has them. Nothing here knows an API type.
 *
 * One revision counter covers the whole store. Every successful write takes the next revision; a read at a
 * revision sees exactly the writes up to it, until that revision is compacted.
 */

/** A stored value. Revisions are integers that fit a JavaScript number exactly. */
export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision of the write that made the key. */
  readonly createRevision: number;
  /** Revision of the last write to the key. */
  readonly modRevision: number;
  /** Number of writes since the key was made; 1 for a new key. */
  readonly version: number;
  /** Lease that the key is attached to; 0 for none. */
  readonly lease: number;
  /** Why the value cannot be decrypted; it is as it is stored then. */
  readonly fault?: Error;
}

export type StorageErrorCode =
  /** The revision asked for is older than the last compaction. */
  | "Compacted"
  /** The revision asked for is newer than the store's. */
  | "FutureRevision"
  /** The store is closed, or its medium failed. */
  | "Unavailable"
  /** The value is larger than {@link VALUE_BYTES_MAX}. */
  | "TooLarge"
  /** The medium is full: reads and deletions go on. */
  | "NoSpace"
  /** No lease with that id. */
  | "LeaseNotFound";

/** Every failure that a store reports. Callers switch on `code`. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly code: StorageErrorCode;
  /** For `Compacted`: the oldest revision that can still be read. */
  readonly compactRevision: number;
  constructor(code: StorageErrorCode, message: string, compactRevision = 0) {
    super(message);
    this.code = code;
    this.compactRevision = compactRevision;
  }
}

/** Largest value accepted, as etcd's default request limit (1.5 MiB). */
export const VALUE_BYTES_MAX: number = 1.5 * 1024 * 1024;

export interface GetResult {
  readonly kv: KeyValue | undefined;
  /** The store's revision at the time of the read. */
  readonly revision: number;
}

export interface ListOptions {
  /** Read as of this revision; the current one when absent. */
  readonly revision?: number;
  /** Return at most this many; all when absent. */
  readonly limit?: number;
  /** Start at this key (inclusive) instead of at the prefix's first. */
  readonly startKey?: string;
}

export interface ListResult {
  /** In key order (byte order of UTF-8). */
  readonly kvs: readonly KeyValue[];
  /** How many keys of the range lie beyond the returned ones. */
  readonly remaining: number;
  /** The store's current revision at the time of the read, or the revision that was asked for. */
  readonly revision: number;
}

/** A compare-and-swap on one key. */
export interface TxnRequest {
  readonly key: string;
  /** The write happens only if the key's modRevision equals this; 0 means that the key must be absent. */
  readonly expectedModRevision: number;
  /** The new value; absent means delete. */
  readonly put?: { readonly value: Uint8Array; readonly lease?: number };
}

export type TxnResult =
  | { readonly succeeded: true; readonly revision: number }
  | { readonly succeeded: false; readonly revision: number; readonly current: KeyValue | undefined };

/** A key's new state, or that it is gone. What was there before is not told: who follows a store has it, and reading it again costs. */
export type WatchEvent =
  | { readonly type: "put"; readonly key: string; readonly kv: KeyValue; readonly revision: number }
  | { readonly type: "delete"; readonly key: string; readonly revision: number };

export interface WatchOptions {
  /** First revision to deliver (inclusive); the next one to come when absent. */
  readonly startRevision?: number;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /**
   * Called with the events of one or more revisions, in order, never two calls at once for one watch. Without events the watch has
   * come to `revision`, and nothing of its prefix has changed.
   */
  readonly onEvents: (events: readonly WatchEvent[], revision: number) => void;
  /** Called once when the watch cannot go on (`Compacted`, `Unavailable`). */
  readonly onError: (error: StorageError) => void;
}

/** What each implementation offers beyond the common contract. */
export interface StoreFeatures {
  /** Data outlives the process. */
  readonly durable: boolean;
  /** Several processes may write. */
  readonly shared: boolean;
}

/** A lease with the keys that end with it. */
export interface AttachedLease {
  readonly remainingSeconds: number;
  readonly keys: readonly string[];
}

/** What a store says of itself, in words for who runs it. */
export interface StoreReport {
  /** Why some of what is asked of it fails, until somebody mends it. */
  readonly alarms: readonly string[];
  /** What somebody might do about it. */
  readonly advice: readonly string[];
  /** What its database takes on disk, of its largest member where there are several; absent when none told. */
  readonly databaseBytes?: number;
}

export interface KVStore extends AsyncDisposable {
  readonly features: StoreFeatures;
  /** The newest revision; 1 for an empty store, as in etcd. */
  currentRevision(): Promise<number>;
  get(key: string, options?: { readonly revision?: number }): Promise<GetResult>;
  list(prefix: string, options?: ListOptions): Promise<ListResult>;
  /** Number of keys with the prefix, now. */
  count(prefix: string): Promise<number>;
  /** Durable once resolved, where the store is durable. */
  txn(request: TxnRequest): Promise<TxnResult>;
  /** Starts delivering at once. Throws `Compacted` through `onError`. */
  watch(prefix: string, options: WatchOptions): void;
  /** Forgets history before `revision`. */
  compact(revision: number): Promise<void>;
  /** Makes a lease that ends after `ttlSeconds` unless kept alive; its keys are deleted when it ends. */
  grantLease(ttlSeconds: number): Promise<number>;
  keepLeaseAlive(id: number): Promise<void>;
  revokeLease(id: number): Promise<void>;
  /** All leases; absent where they cannot be told. For copies of a store. */
  leases?(): Promise<readonly AttachedLease[]>;
  /** The next write comes after `revision`, and nothing before that can be read. Where absent, only writes bring the revision forward. */
  raiseRevision?(revision: number): Promise<void>;
  /** Whether a value should be written anew although it would say the same; never where absent. */
  isStale?(key: string): Promise<boolean>;
  /** Resolves when the store can serve; rejects with `Unavailable`, after `timeoutMs` at the latest where it is asked over a network. */
  checkHealth(timeoutMs?: number): Promise<void>;
  /** What a store that answers says of itself; absent where there is nothing to say. */
  report?(): Promise<StoreReport>;
  close(): Promise<void>;
}
