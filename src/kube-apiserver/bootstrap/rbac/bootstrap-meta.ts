import type { ObjectMeta } from "#api/generated/meta/v1.ts";

/** Metadata of an object that every start of the server brings back to its default, unless the annotation says no. */
export function bootstrapMeta(name: string, labels: Readonly<Record<string, string>> = {}, namespace?: string): ObjectMeta {
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { "kubernetes.io/bootstrapping": "rbac-defaults", ...labels },
    annotations: { "rbac.authorization.kubernetes.io/autoupdate": "true" },
  };
}
