import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { ResourceDefinition, ServedVersion, Subresource } from "#apiserver/registry/resource.ts";
import { deprecationWarning } from "../deprecation.ts";

/**
 * A version of a resource that v1.36 knows and does not serve: what it has of its own. Objects are stored in today's version
 * whichever they were written in.
 */
export interface OldVersion {
  /** Where it is not the group that stores the resource. */
  readonly group?: string;
  readonly version: string;
  /** From this version's form to the stored one. May change its argument. Absent for equal shapes. */
  readonly toStorage?: (object: ApiObject) => ApiObject;
  /** The way back. May change its argument. */
  readonly fromStorage?: (object: ApiObject) => ApiObject;
  /**
   * Defaults, for an object in this version's form; `today` sets those that the stored version has. Absent: today's, before the
   * conversion where shapes are equal and behind it where they are not.
   */
  readonly setDefaults?: (object: ApiObject, today: (object: ApiObject) => void) => void;
  /** Instead of the resource's own, or besides them. */
  readonly subresources?: (definition: ResourceDefinition) => Readonly<Record<string, Subresource<ApiObject>>>;
  readonly defaultPropagation?: "Orphan";
  readonly selectableFields?: NonNullable<ServedVersion["selectableFields"]>;
}

/** An old version that nobody is served, for what is stored in it. */
export function knownVersion(definition: ResourceDefinition, old: OldVersion): ServedVersion {
  const { subresources: _, setDefaults, ...rest } = old;
  const today = (object: ApiObject): void => definition.strategy.setDefaults?.(object as never);
  return { ...rest, ...(setDefaults && { setDefaults: (object) => setDefaults(object, today) }) };
}

/** An old version that clients are served. */
export function servedVersion(definition: ResourceDefinition, old: OldVersion): ServedVersion {
  const warning = deprecationWarning(old.group ?? definition.group, old.version, definition.kind);
  return {
    ...knownVersion(definition, old),
    ...(old.subresources && { subresources: old.subresources(definition) }),
    ...(warning !== undefined && { deprecationWarning: warning }),
  };
}
