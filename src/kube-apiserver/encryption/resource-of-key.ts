import { REGISTRY_PREFIX } from "#apiserver/cacher/registry-cache.ts";
import type { GroupResource } from "./encrypted-resources.ts";

/** A resource, and where its objects are stored below `/registry/`. */
interface StoredResource extends GroupResource {
  readonly storagePrefix: string;
}

/** Tells which resource a key belongs to. What is not built in is a custom resource: `GROUP/PLURAL/…`. */
export function resourceOfKey(builtIn: readonly StoredResource[]): (key: string) => GroupResource {
  const known = new Map(builtIn.map(({ storagePrefix, group, resource }) => [storagePrefix, { group, resource }]));
  return (key) => {
    const first = key.indexOf("/", REGISTRY_PREFIX.length);
    const second = key.indexOf("/", first + 1);
    const group = key.slice(REGISTRY_PREFIX.length, first);
    const resource = second < 0 ? undefined : key.slice(first + 1, second);
    return (
      (resource !== undefined && known.get(`${group}/${resource}`)) ||
      known.get(group) || { group, resource: resource ?? key.slice(first + 1) }
    );
  };
}
