import type { ObjectMeta } from "#apimachinery/meta/api-object.ts";

/** An object's metadata, whatever its kind. */
export function metaOf(object: object): Readonly<ObjectMeta> {
  return (object as { metadata: ObjectMeta }).metadata;
}

/** `namespace/name`, or `name` for cluster-scoped objects: the key of caches and queues. */
export function keyOf(object: object): string {
  const { namespace, name } = metaOf(object);
  return objectKey(namespace ?? "", name ?? "");
}

/** See {@link keyOf}. */
export function objectKey(namespace: string, name: string): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

/** The inverse of {@link objectKey}. */
export function splitKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf("/");
  return slash < 0 ? { namespace: "", name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
