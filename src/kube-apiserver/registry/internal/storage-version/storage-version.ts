import type { StorageVersion } from "#api/generated/internal/v1alpha1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** StorageVersions, as served by internal.apiserver.k8s.io/v1alpha1. */
export const storageVersions: ResourceDefinition<StorageVersion> = {
  group: "internal.apiserver.k8s.io",
  version: "v1alpha1",
  kind: "StorageVersion",
  plural: "storageversions",
  singular: "storageversion",
  scope: "Cluster",
  storagePrefix: "storageversions",
  columns: PLAIN_COLUMNS,
  strategy: { allowUnconditionalUpdate: false },
  subresources: { status: { type: "status", keepsMetadata: "all" } },
};
