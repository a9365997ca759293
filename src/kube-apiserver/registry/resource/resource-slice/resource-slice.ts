import type { ResourceSlice } from "#api/generated/resource/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { v1beta1Slices } from "../v1beta1-conversion.ts";
import { validateResourceSlice, validateResourceSliceUpdate } from "./validation.ts";

const column = columnsOf<ResourceSlice>("resource.k8s.io/resourceslices");

/** ResourceSlices, as served by resource.k8s.io/v1. */
export const resourceSlices: ResourceDefinition<ResourceSlice> = {
  group: "resource.k8s.io",
  version: "v1",
  otherVersions: [{ version: "v1beta2" }, v1beta1Slices],
  kind: "ResourceSlice",
  plural: "resourceslices",
  singular: "resourceslice",
  scope: "Cluster",
  storagePrefix: "resourceslices",
  columns: [
    nameColumn,
    column("Node", "string", ({ spec }) => spec.nodeName ?? ""),
    column("Driver", "string", ({ spec }) => spec.driver ?? ""),
    column("Pool", "string", ({ spec }) => spec.pool?.name ?? ""),
    ageColumn,
  ],
  selectableFields: { "spec.nodeName": (slice) => slice.spec.nodeName ?? "", "spec.driver": (slice) => slice.spec.driver ?? "" },
  unknownFieldSelector: (field, { group, version, kind }) =>
    `field label not supported for ${group}/${version}, Kind=${kind}: ${field}`,
  strategy: {
    validate: validateResourceSlice,
    validateUpdate: validateResourceSliceUpdate,
    returnDeletedObject: true,
    generationChanges: (object, old) => !semanticEqual(object.spec, old.spec),
  },
};
