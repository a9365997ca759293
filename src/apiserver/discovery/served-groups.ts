import { createHash } from "node:crypto";
import type { GroupVersionKind } from "#apimachinery/meta/api-object.ts";
import {
  type ResourceDefinition,
  type ResourceVerb,
  type ServedVersion,
  type Subresource,
  subresourcesOf,
  type VirtualResource,
} from "../registry/resource.ts";
import type { ResourceSet } from "../registry/resource-set.ts";

/** A subresource as discovery tells of it. */
export interface ServedSubresource {
  readonly name: string;
  readonly kind: string;
  /** Group and version are told only where they are not the resource's own. */
  readonly foreign: { readonly group: string; readonly version: string } | undefined;
  readonly verbs: readonly string[];
}

/** A resource in one served version. */
export interface ServedResource {
  readonly name: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  /** Undefined for what is not stored. */
  readonly storageVersionHash: string | undefined;
  readonly subresources: readonly ServedSubresource[];
  /** Of custom resources: aggregated discovery tells them their own group and version, and no others. */
  readonly own?: { readonly group: string; readonly version: string };
}

export interface ServedVersionGroup {
  readonly version: string;
  /** By name. */
  readonly resources: readonly ServedResource[];
  /** What another server serves, in the form of aggregated discovery. */
  readonly elsewhere?: { readonly resources: readonly object[]; readonly freshness: "Current" | "Stale" };
}

/** A group with its versions, preferred one first. */
export interface ServedGroup {
  readonly name: string;
  readonly versions: readonly ServedVersionGroup[];
}

const ALL_VERBS: readonly ResourceVerb[] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
/** In upstream's order. */
const CUSTOM_VERBS: readonly string[] = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const VIEW_VERBS: readonly string[] = ["get", "patch", "update"];

/** The version in which upstream stores a resource, where ours is another: clients compare hashes of it. */
export type StorageVersionOf = (group: string, plural: string) => string | undefined;

/** Everything served, by group and version. `priority` orders the groups, largest first; ties by name. */
export function servedGroups(
  resources: ResourceSet,
  priority: (group: string) => number,
  storageVersionOf: StorageVersionOf = () => undefined,
): readonly ServedGroup[] {
  const groups = new Map<string, Map<string, ServedResource[]>>();
  const add = (group: string, version: string, resource: ServedResource): void => {
    let versions = groups.get(group);
    if (versions === undefined) {
      versions = new Map();
      groups.set(group, versions);
    }
    const list = versions.get(version);
    if (list === undefined) versions.set(version, [resource]);
    else list.push(resource);
  };
  for (const stored of resources.stored) {
    const definition = stored as unknown as ResourceDefinition;
    if (definition.storageVersionServed !== false) {
      add(definition.group, definition.version, storedResource(definition, definition, storageVersionOf));
    }
    for (const other of definition.otherVersions ?? []) {
      const served = { group: other.group ?? definition.group, version: other.version };
      add(served.group, served.version, storedResource(definition, served, storageVersionOf, other));
    }
  }
  for (const virtual of resources.virtual) add(virtual.group, virtual.version, virtualResource(virtual));
  return [...groups]
    .sort(([a], [b]) => priority(b) - priority(a) || (a < b ? -1 : 1))
    .map(([name, versions]) => ({
      name,
      versions: [...versions]
        .sort(([a], [b]) => compareVersions(a, b))
        .map(([version, list]) => ({ version, resources: list.sort((a, b) => (a.name < b.name ? -1 : 1)) })),
    }));
}

function storedResource(
  definition: ResourceDefinition,
  served: { group: string; version: string },
  storageVersionOf: StorageVersionOf,
  other?: ServedVersion,
): ServedResource {
  const { group, plural, kind } = definition;
  const version = storageVersionOf(group, plural) ?? definition.version;
  const subresources = Object.entries(subresourcesOf(definition, other));
  const told = subresources.map(([name, subresource]) => servedSubresource(name, subresource, definition, served));
  return {
    name: definition.plural,
    singular: definition.singular,
    kind: definition.kind,
    namespaced: definition.scope === "Namespaced",
    shortNames: definition.shortNames ?? [],
    categories: definition.categories ?? [],
    verbs: definition.custom === true ? CUSTOM_VERBS : [...(definition.verbs ?? ALL_VERBS)].sort(),
    storageVersionHash: storageVersionHash({ group, version, kind }),
    ...(definition.custom === true && { own: served }),
    // Custom resources tell theirs in the order in which they declare them: status, scale.
    subresources: definition.custom === true ? told : told.sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function servedSubresource(
  name: string,
  subresource: Subresource<never> | Subresource<ResourceDefinition & never>,
  definition: ResourceDefinition,
  served: { group: string; version: string },
): ServedSubresource {
  if (subresource.type === "status") {
    return { name, kind: definition.kind, foreign: undefined, verbs: [...(subresource.verbs ?? VIEW_VERBS)].sort() };
  }
  const { group, version, kind } = subresource.kind;
  const foreign = group === served.group ? undefined : { group, version };
  return { name, kind, foreign, verbs: [...(subresource.verbs ?? VIEW_VERBS)].sort() };
}

function virtualResource(virtual: VirtualResource): ServedResource {
  const verbs = (["create", "delete", "get", "list", "patch", "update"] as const).filter(
    (verb) => virtual[verb === "patch" ? "update" : verb] !== undefined,
  );
  return {
    name: virtual.plural,
    singular: virtual.singular,
    kind: virtual.kind,
    namespaced: virtual.scope === "Namespaced",
    shortNames: virtual.shortNames ?? [],
    categories: [],
    verbs,
    storageVersionHash: undefined,
    subresources: [],
  };
}

/** Upstream's `StorageVersionHash`: base64 of the first 8 bytes of SHA-256 of `group/version/kind`. */
function storageVersionHash({ group, version, kind }: GroupVersionKind): string {
  return createHash("sha256").update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString("base64");
}

/** Upstream's `CompareKubeAwareVersionStrings`, newest and most stable first: v2, v1, v2beta1, v1beta2, v1alpha1, other. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [versionRank(a), versionRank(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (y[i] ?? 0) - (x[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

function versionRank(version: string): readonly number[] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (!match) return [0, 0, 0];
  const stability = match[2] === undefined ? 3 : match[2] === "beta" ? 2 : 1;
  return [stability, Number(match[1]), Number(match[3] ?? 0)];
}
