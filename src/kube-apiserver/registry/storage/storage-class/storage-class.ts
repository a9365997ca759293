import type { StorageClass } from "#api/generated/storage/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** StorageClasses, as served by storage.k8s.io/v1. */
export const storageClasses: ResourceDefinition<StorageClass> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  plural: "storageclasses",
  singular: "storageclass",
  shortNames: ["sc"],
  scope: "Cluster",
  storagePrefix: "storageclasses",
  columns: PLAIN_COLUMNS,
  strategy: {},
};
