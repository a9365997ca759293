import type { PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** PersistentVolumeClaims, as served by v1. */
export const persistentVolumeClaims: ResourceDefinition<PersistentVolumeClaim> = {
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  singular: "persistentvolumeclaim",
  shortNames: ["pvc"],
  scope: "Namespaced",
  storagePrefix: "persistentvolumeclaims",
  columns: PLAIN_COLUMNS,
  strategy: {},
  subresources: { status: { type: "status" } },
};
