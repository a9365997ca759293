import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { ResourceDefinition, Store, VirtualResource } from "./resource.ts";

/** Everything that a server serves, in discovery order. */
export interface ResourceSet {
  readonly stored: readonly ResourceDefinition<never>[];
  readonly virtual: readonly VirtualResource[];
}

/** What a key of the watch cache holds and did not hold before; no object when it is gone. */
export interface ObjectChange<T> {
  readonly key: string;
  readonly object: T | undefined;
}

/** Access to every stored resource by group and plural; given to strategies that look at other kinds. */
export interface Stores {
  /** Asserts that the resource is known. */
  of<T extends object = ApiObject>(group: string, plural: string): Store<T>;
  /** Whether it is: `--runtime-config` may leave resources out. Absent where all are. */
  has?(group: string, plural: string): boolean;
  /**
   * Tells at each call what has changed in the watch cache since the call before, in no order and as it is stored: all at the first. What
   * lies between two calls costs, not what there is. Shared and read-only. Asserts that the resource is known.
   */
  follow<T extends object = ApiObject>(group: string, plural: string): () => readonly ObjectChange<T>[];
}
