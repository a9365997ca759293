import type { KVStore } from "#storage/kv.ts";

/** A resource whose objects are kept in another store. */
export interface StoreOverride {
  readonly group: string;
  /** In the plural. */
  readonly resource: string;
  /** Stays the caller's: it is not closed. The same for several resources where they lie together. */
  readonly kv: KVStore;
}

/** Upstream's `--storage-media-type`, without YAML. */
export const STORAGE_MEDIA_TYPES = ["application/json", "application/vnd.kubernetes.protobuf"] as const;

/** One of {@link STORAGE_MEDIA_TYPES}. */
export type StorageMediaType = (typeof STORAGE_MEDIA_TYPES)[number];

/** How objects are stored; named after upstream's flags. Defaults are upstream's unless said otherwise. */
export interface StorageSettings {
  /** Nothing is written, not even what a cluster begins with; writes are refused whoever asks. */
  readonly readOnly?: boolean;
  /** `--storage-media-type`: what built-in objects are written in; JSON when absent. */
  readonly mediaType?: StorageMediaType;
  /** `--etcd-servers-overrides`: for built-in resources alone, as upstream. */
  readonly overrides?: readonly StoreOverride[];
  /** Changes kept of each resource for watches that resume; 8,192 when absent. Not a flag: upstream sizes its caches itself, too. */
  readonly historyEventsMax?: number;
  /** `--etcd-compaction-interval`; never when 0. */
  readonly compactionIntervalMs?: number;
  /** `--delete-collection-workers`. Default: more than upstream's one. */
  readonly deleteCollectionWorkers?: number;
  /** `--etcd-healthcheck-timeout`. */
  readonly healthTimeoutMs?: number;
  /** `--etcd-readycheck-timeout`. */
  readonly readyTimeoutMs?: number;
  /** `--lease-reuse-duration-seconds`. */
  readonly leaseReuseSeconds?: number;
  /** `--etcd-db-metric-poll-interval`: how often databases are asked for their size; metrics do not tell it when 0. */
  readonly sizePollMs?: number;
  /** Whether metrics tell how many objects there are: not where `--etcd-count-metric-poll-period` is 0. */
  readonly countObjects?: boolean;
}
