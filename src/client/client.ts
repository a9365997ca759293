import type { ApiObject } from "#apimachinery/meta/api-object.ts";

/** Names a resource type on the wire. */
export interface ResourceId {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

export interface ListOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
  readonly limit?: number;
  readonly continue?: string;
}

export interface WatchOptions extends ListOptions {
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
  readonly signal: AbortSignal;
}

export interface ApiList<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string; readonly remainingItemCount?: number };
  readonly items: readonly T[];
}

export interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  /** For ERROR a Status. */
  readonly object: T;
}

export type PatchType =
  | "application/json-patch+json"
  | "application/merge-patch+json"
  | "application/strategic-merge-patch+json"
  | "application/apply-patch+yaml";

/** What decides about a write when it is about to go on its way. */
export interface SendOptions {
  /**
   * Asked at the last moment, however long after the call: a connection may first have to be made, or a token. The write fails unsent when
   * it says no.
   */
  readonly mayBeSent?: () => boolean;
}

export interface WriteOptions extends SendOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  /** An apply patch takes over what other managers own. */
  readonly force?: boolean;
  /** `status`, `scale`, `binding`, ... */
  readonly subresource?: string;
}

export interface DeleteRequest extends SendOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/**
 * The API as components see it: over HTTPS between processes, directly in one process. Objects that come back
 * may be shared with others: read-only. Failures are `StatusError`s; a connection that fails rejects with its own error.
 * `namespace` is empty for cluster-scoped resources and for all namespaces.
 */
export interface Client {
  get<T extends object = ApiObject>(id: ResourceId, namespace: string, name: string): Promise<T>;
  list<T extends object = ApiObject>(id: ResourceId, namespace: string, options?: ListOptions): Promise<ApiList<T>>;
  /** Ends without error when the server ends the watch. */
  watch<T extends object = ApiObject>(
    id: ResourceId,
    namespace: string,
    options: WatchOptions,
  ): AsyncIterable<readonly WatchEvent<T>[]>;
  create<T extends object = ApiObject>(
    id: ResourceId,
    namespace: string,
    object: T,
    options?: WriteOptions & { name?: string },
  ): Promise<T>;
  update<T extends object = ApiObject>(
    id: ResourceId,
    namespace: string,
    name: string,
    object: T,
    options?: WriteOptions,
  ): Promise<T>;
  patch<T extends object = ApiObject>(
    id: ResourceId,
    namespace: string,
    name: string,
    type: PatchType,
    patch: unknown,
    options?: WriteOptions,
  ): Promise<T>;
  delete(id: ResourceId, namespace: string, name: string, options?: DeleteRequest): Promise<void>;
  deleteCollection(id: ResourceId, namespace: string, options?: ListOptions & DeleteRequest): Promise<void>;
  /** A GET of any path; the parsed JSON, or text. For discovery and health. */
  raw(path: string): Promise<unknown>;
}
