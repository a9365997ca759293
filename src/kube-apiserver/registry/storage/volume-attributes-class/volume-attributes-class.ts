import type { VolumeAttributesClass } from "#api/generated/storage/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { validateVolumeAttributesClass, validateVolumeAttributesClassUpdate } from "./validation.ts";

const column = columnsOf<VolumeAttributesClass>("storage.k8s.io/volumeattributesclasses");

/** VolumeAttributesClasses, as served by storage.k8s.io/v1. */
export const volumeAttributesClasses: ResourceDefinition<VolumeAttributesClass> = {
  group: "storage.k8s.io",
  version: "v1",
  otherVersions: [{ version: "v1beta1" }],
  kind: "VolumeAttributesClass",
  plural: "volumeattributesclasses",
  singular: "volumeattributesclass",
  shortNames: ["vac"],
  scope: "Cluster",
  storagePrefix: "volumeattributesclasses",
  columns: [nameColumn, column("DriverName", "string", (o) => o.driverName), ageColumn],
  strategy: {
    validate: validateVolumeAttributesClass,
    validateUpdate: validateVolumeAttributesClassUpdate,
    returnDeletedObject: true,
  },
};
