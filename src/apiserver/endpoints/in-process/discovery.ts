import { parseGroupVersion } from "#apimachinery/meta/api-object.ts";
import { groupListDocument, resourceListDocument } from "../../discovery/documents.ts";
import { type ServedGroup, servedGroups } from "../../discovery/served-groups.ts";
import type { ResourceSet } from "../../registry/resource-set.ts";

const known = new WeakMap<ResourceSet, readonly ServedGroup[]>();

/** What `/apis`, `/api/v1` and `/apis/GROUP/VERSION` answer; undefined for other paths. */
export function discoveryDocument(resources: ResourceSet, path: string): object | undefined {
  const groups = known.get(resources) ?? servedGroups(resources, () => 0);
  known.set(resources, groups);
  if (path === "/apis") return groupListDocument(groups.filter(({ name }) => name !== ""));
  const match = /^\/(?:api|apis)\/(.+)$/.exec(path);
  if (match === null) return undefined;
  const { group, version } = parseGroupVersion(match[1] ?? "");
  const served = groups.find(({ name }) => name === group)?.versions.find((item) => item.version === version);
  return served === undefined ? undefined : resourceListDocument(group, served);
}
