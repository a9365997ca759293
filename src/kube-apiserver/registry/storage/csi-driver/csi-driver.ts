import type { CSIDriver } from "#api/generated/storage/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** CSIDrivers, as served by storage.k8s.io/v1. */
export const csiDrivers: ResourceDefinition<CSIDriver> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  plural: "csidrivers",
  singular: "csidriver",
  scope: "Cluster",
  storagePrefix: "csidrivers",
  columns: PLAIN_COLUMNS,
  strategy: { allowUnconditionalUpdate: false },
};
