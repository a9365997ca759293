import type { DeviceAttribute, ResourceSlice } from "#api/generated/resource/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import type { Clock } from "#base/clock.ts";
import { columnsOf } from "../../columns.ts";
import type { RegistryModules } from "../../modules.ts";
import { v1beta1Slices } from "../v1beta1-conversion.ts";
import { validateResourceSlice, validateResourceSliceUpdate } from "./validation.ts";

const column = columnsOf<ResourceSlice>("resource.k8s.io/resourceslices");

const LISTS = ["bools", "ints", "strings", "versions"] as const;

/** ResourceSlices, as served by resource.k8s.io/v1. */
export function resourceSlices({ clock }: Pick<RegistryModules, "clock">): ResourceDefinition<ResourceSlice> {
  return {
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
    selectableFields: {
      "spec.nodeName": (slice) => slice.spec.nodeName ?? "",
      "spec.driver": (slice) => slice.spec.driver ?? "",
    },
    unknownFieldSelector: (field, { group, version, kind }) =>
      `field label not supported for ${group}/${version}, Kind=${kind}: ${field}`,
    strategy: {
      setDefaults: (slice) => setDefaults(slice, clock),
      prepareForCreate: (slice) => dropLists(slice, undefined),
      prepareForUpdate: dropLists,
      validate: validateResourceSlice,
      validateUpdate: validateResourceSliceUpdate,
      returnDeletedObject: true,
      generationChanges: (object, old) => !semanticEqual(object.spec, old.spec),
    },
  };
}

/** Taints are as old as they are known. */
function setDefaults({ spec }: Draft<ResourceSlice>, clock: Clock): void {
  for (const { taints } of spec?.devices ?? []) for (const taint of taints ?? []) taint.timeAdded ??= formatTime(clock.now());
}

/** Attributes of many values and mappings of the node's resources are behind gates that are off, and kept where they were before. */
function dropLists({ spec }: Draft<ResourceSlice>, old: ResourceSlice | undefined): void {
  const before = old?.spec?.devices ?? [];
  const keepLists = before.some(({ attributes }) => Object.values(attributes ?? {}).some(hasList));
  const keepMappings = before.some(({ nodeAllocatableResourceMappings: mappings }) => mappings !== undefined);
  for (const device of spec?.devices ?? []) {
    if (!keepMappings) delete device.nodeAllocatableResourceMappings;
    if (keepLists) continue;
    for (const attribute of Object.values(device.attributes ?? {})) for (const list of LISTS) delete attribute[list];
  }
}

function hasList(attribute: DeviceAttribute): boolean {
  return LISTS.some((list) => attribute[list] !== undefined);
}
