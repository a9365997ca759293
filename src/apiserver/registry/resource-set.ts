import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { ResourceDefinition, Store, VirtualResource } from "./resource.ts";

/** Everything that a server serves, in discovery order. */
export interface ResourceSet {
  readonly stored: readonly ResourceDefinition<never>[];
  readonly virtual: readonly VirtualResource[];
}

/** Access to every stored resource by group and plural; given to strategies that look at other kinds. */
export interface Stores {
  /** Asserts that the resource is known. */
  of<T extends object = ApiObject>(group: string, plural: string): Store<T>;
  /** Whether it is: `--runtime-config` may leave resources out. Absent where all are. */
  has?(group: string, plural: string): boolean;
}
