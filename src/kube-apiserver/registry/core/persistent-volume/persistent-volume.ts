import type { PersistentVolume } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { Column, ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import type { Clock } from "#base/clock.ts";
import { columnsOf } from "../../columns.ts";
import type { RegistryModules } from "../../modules.ts";
import { roundedUp } from "../pod/defaults.ts";
import { formatAccessModes, storageClassOf } from "./access-modes.ts";
import { setSourceDefaults } from "./source-defaults.ts";
import { validatePersistentVolume, validatePersistentVolumeUpdate } from "./validation.ts";
import { persistentVolumeWarnings } from "./warnings.ts";

const column = columnsOf<PersistentVolume>("/persistentvolumes");

const columns: readonly Column<PersistentVolume>[] = [
  nameColumn,
  column("Capacity", "string", (o) => o.spec?.capacity?.storage ?? "0"),
  column("Access Modes", "string", (o) => formatAccessModes(o.spec?.accessModes)),
  column("Reclaim Policy", "string", (o) => o.spec?.persistentVolumeReclaimPolicy ?? ""),
  column("Status", "string", (o) => (o.metadata.deletionTimestamp ? "Terminating" : (o.status?.phase ?? ""))),
  column("Claim", "string", (o) => (o.spec?.claimRef ? `${o.spec.claimRef.namespace ?? ""}/${o.spec.claimRef.name ?? ""}` : "")),
  column("StorageClass", "string", (o) => storageClassOf(o, o.spec?.storageClassName)),
  column("VolumeAttributesClass", "string", (o) => o.spec?.volumeAttributesClassName ?? "<unset>"),
  column("Reason", "string", (o) => o.status?.reason ?? ""),
  ageColumn,
  column("VolumeMode", "string", (o) => o.spec?.volumeMode ?? "<unset>", { priority: 1 }),
];

/** Persistent volumes; the time of the last phase change is kept by the server. */
export function persistentVolumes({ clock }: Pick<RegistryModules, "clock">): ResourceDefinition<PersistentVolume> {
  return {
    group: "",
    version: "v1",
    kind: "PersistentVolume",
    plural: "persistentvolumes",
    singular: "persistentvolume",
    shortNames: ["pv"],
    scope: "Cluster",
    storagePrefix: "persistentvolumes",
    columns,
    strategy: {
      returnDeletedObject: true,
      setDefaults: (volume) => {
        volume.spec ??= {};
        volume.spec.persistentVolumeReclaimPolicy ||= "Retain";
        volume.spec.volumeMode ??= "Filesystem";
        if (volume.spec.capacity) volume.spec.capacity = roundedUp(volume.spec.capacity);
        setSourceDefaults(volume.spec);
      },
      prepareForCreate: (volume) => {
        volume.status = { phase: "Pending", lastPhaseTransitionTime: formatTime(clock.now()) };
      },
      validate: (volume) => validatePersistentVolume(volume),
      validateUpdate: validatePersistentVolumeUpdate,
      warningsOnCreate: persistentVolumeWarnings,
      warningsOnUpdate: persistentVolumeWarnings,
    },
    subresources: { status: { type: "status", prepareForUpdate: (volume, old) => prepareStatus(volume, old, clock) } },
  };
}

function prepareStatus(volume: Draft<PersistentVolume>, old: PersistentVolume, clock: Clock): void {
  if (old.spec) volume.spec = deepCopy(old.spec);
  volume.status ??= {};
  const before = old.status?.lastPhaseTransitionTime;
  const { phase, lastPhaseTransitionTime: given } = volume.status;
  if (phase === old.status?.phase) {
    if (given === undefined && before !== undefined) volume.status.lastPhaseTransitionTime = before;
  } else if (given === undefined || given === before) volume.status.lastPhaseTransitionTime = formatTime(clock.now());
}
