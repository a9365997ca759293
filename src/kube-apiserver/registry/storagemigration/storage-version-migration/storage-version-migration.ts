import type { StorageVersionMigration } from "#api/generated/storagemigration/v1beta1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";
import { validateMigration, validateMigrationStatus, validateMigrationUpdate } from "./validation.ts";

/** StorageVersionMigrations, as served by storagemigration.k8s.io/v1beta1. */
export const storageVersionMigrations: ResourceDefinition<StorageVersionMigration> = {
  group: "storagemigration.k8s.io",
  version: "v1beta1",
  kind: "StorageVersionMigration",
  plural: "storageversionmigrations",
  singular: "storageversionmigration",
  scope: "Cluster",
  storagePrefix: "storageversionmigrations",
  columns: PLAIN_COLUMNS,
  strategy: {
    allowUnconditionalUpdate: false,
    validate: validateMigration,
    validateUpdate: validateMigrationUpdate,
    generationChanges: (object, old) => !semanticEqual(object.spec, old.spec),
  },
  subresources: { status: { type: "status", keepsMetadata: "all", validateUpdate: validateMigrationStatus } },
};
