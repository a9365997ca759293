import type { PersistentVolume } from "#api/generated/core/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** PersistentVolumes, as served by v1. */
export const persistentVolumes: ResourceDefinition<PersistentVolume> = {
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  singular: "persistentvolume",
  shortNames: ["pv"],
  scope: "Cluster",
  storagePrefix: "persistentvolumes",
  columns: PLAIN_COLUMNS,
  strategy: {},
  subresources: { status: { type: "status" } },
};
