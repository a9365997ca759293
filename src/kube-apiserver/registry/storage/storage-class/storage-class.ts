import type { StorageClass } from "#api/generated/storage/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { storageClassWarnings, validateStorageClass, validateStorageClassUpdate } from "./validation.ts";

const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";
const BETA_DEFAULT_CLASS = "storageclass.beta.kubernetes.io/is-default-class";
const column = columnsOf<StorageClass>("storage.k8s.io/storageclasses");

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
  columns: [
    { ...nameColumn, cell: shownName },
    column("Provisioner", "string", ({ provisioner }) => provisioner ?? ""),
    column("ReclaimPolicy", "string", ({ reclaimPolicy }) => reclaimPolicy ?? "Delete"),
    column("VolumeBindingMode", "string", ({ volumeBindingMode }) => volumeBindingMode ?? "Immediate"),
    column("AllowVolumeExpansion", "string", ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false),
    ageColumn,
  ],
  strategy: {
    setDefaults,
    validate: validateStorageClass,
    validateUpdate: validateStorageClassUpdate,
    warningsOnCreate: storageClassWarnings,
    warningsOnUpdate: storageClassWarnings,
    returnDeletedObject: true,
  },
};

/** Upstream's `SetDefaults_StorageClass`. */
function setDefaults(storageClass: Draft<StorageClass>): void {
  storageClass.reclaimPolicy ??= "Delete";
  storageClass.volumeBindingMode ??= "Immediate";
}

function shownName({ metadata }: StorageClass): string {
  const isDefault = [DEFAULT_CLASS, BETA_DEFAULT_CLASS].some((name) => metadata?.annotations?.[name] === "true");
  return `${metadata?.name ?? ""}${isDefault ? " (default)" : ""}`;
}
