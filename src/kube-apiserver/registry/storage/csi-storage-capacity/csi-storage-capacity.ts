import type { CSIStorageCapacity } from "#api/generated/storage/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";
import { validateCsiStorageCapacity, validateCsiStorageCapacityUpdate } from "./validation.ts";

/** CSIStorageCapacities, as served by storage.k8s.io/v1. */
export const csiStorageCapacities: ResourceDefinition<CSIStorageCapacity> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIStorageCapacity",
  plural: "csistoragecapacities",
  singular: "csistoragecapacity",
  scope: "Namespaced",
  storagePrefix: "csistoragecapacities",
  columns: PLAIN_COLUMNS,
  strategy: {
    allowUnconditionalUpdate: false,
    validate: validateCsiStorageCapacity,
    validateUpdate: validateCsiStorageCapacityUpdate,
  },
};
