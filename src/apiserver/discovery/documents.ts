import { formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import type { ServedGroup, ServedResource, ServedVersionGroup } from "./served-groups.ts";

/** `APIResourceList`: what `/api/v1` and `/apis/GROUP/VERSION` answer. */
export function resourceListDocument(group: string, version: ServedVersionGroup): object {
  const legacy = group === "";
  return {
    kind: "APIResourceList",
    ...(legacy ? {} : { apiVersion: "v1" }),
    groupVersion: formatGroupVersion(group, version.version),
    resources: version.resources.flatMap(resourceEntries),
  };
}

function resourceEntries(resource: ServedResource): object[] {
  const entry = {
    name: resource.name,
    singularName: resource.singular,
    namespaced: resource.namespaced,
    kind: resource.kind,
    verbs: resource.verbs,
    ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
    ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
    ...(resource.storageVersionHash === undefined ? {} : { storageVersionHash: resource.storageVersionHash }),
  };
  const subresources = resource.subresources.map((sub) => ({
    name: `${resource.name}/${sub.name}`,
    singularName: "",
    namespaced: resource.namespaced,
    ...(sub.foreign ?? {}),
    kind: sub.kind,
    verbs: sub.verbs,
  }));
  return [entry, ...subresources];
}

/** `APIGroup`: what `/apis/GROUP` answers. */
export function groupDocument(group: ServedGroup): object {
  return { kind: "APIGroup", apiVersion: "v1", ...groupEntry(group) };
}

/** `APIGroupList`: what `/apis` answers. */
export function groupListDocument(groups: readonly ServedGroup[]): object {
  return { kind: "APIGroupList", apiVersion: "v1", groups: groups.filter((group) => group.name !== "").map(groupEntry) };
}

function groupEntry(group: ServedGroup): object {
  const versions = group.versions.map(({ version }) => ({ groupVersion: formatGroupVersion(group.name, version), version }));
  return { name: group.name, versions, preferredVersion: versions[0] };
}

/** `APIVersions`: what `/api` answers. `serverAddress` is `HOST:PORT`. */
export function legacyVersionsDocument(group: ServedGroup | undefined, serverAddress: string): object {
  return {
    kind: "APIVersions",
    versions: (group?.versions ?? []).map(({ version }) => version),
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
  };
}

/** `APIGroupDiscoveryList` v2: everything about the given groups at once (KEP-3352). */
export function aggregatedDocument(groups: readonly ServedGroup[]): object {
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: groups.map((group) => ({
      metadata: group.name === "" ? {} : { name: group.name },
      versions: group.versions.map(({ version, resources, elsewhere }) => ({
        version,
        resources: elsewhere?.resources ?? resources.map(aggregatedResource),
        freshness: elsewhere?.freshness ?? "Current",
      })),
    })),
  };
}

function aggregatedResource(resource: ServedResource): object {
  const { group, version } = resource.own ?? { group: "", version: "" };
  const responseKind = (kind: string, foreign = { group, version }): object => ({ ...foreign, kind });
  return {
    resource: resource.name,
    responseKind: responseKind(resource.kind),
    scope: resource.namespaced ? "Namespaced" : "Cluster",
    singularResource: resource.singular,
    verbs: resource.verbs,
    ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
    ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
    ...(resource.subresources.length > 0
      ? {
          subresources: resource.subresources.map((sub) => ({
            subresource: sub.name,
            responseKind: responseKind(sub.kind, sub.foreign),
            verbs: sub.verbs,
          })),
        }
      : {}),
  };
}
