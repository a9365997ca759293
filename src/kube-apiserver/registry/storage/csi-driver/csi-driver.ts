import type { CSIDriver } from "#api/generated/storage/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { csiDriverWarnings, validateCsiDriver, validateCsiDriverUpdate } from "./validation.ts";

const column = columnsOf<CSIDriver>("storage.k8s.io/csidrivers");

/** CSIDrivers, as served by storage.k8s.io/v1. */
export const csiDrivers: ResourceDefinition<CSIDriver> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  plural: "csidrivers",
  singular: "csidriver",
  scope: "Cluster",
  storagePrefix: "csidrivers",
  columns: [
    nameColumn,
    column("AttachRequired", "boolean", ({ spec }) => spec.attachRequired ?? true),
    column("PodInfoOnMount", "boolean", ({ spec }) => spec.podInfoOnMount ?? false),
    column("StorageCapacity", "boolean", ({ spec }) => spec.storageCapacity ?? false),
    column(
      "TokenRequests",
      "string",
      ({ spec }) => (spec.tokenRequests ?? []).map(({ audience }) => audience).join(",") || "<unset>",
    ),
    column("RequiresRepublish", "boolean", ({ spec }) => spec.requiresRepublish ?? false),
    column("Modes", "string", ({ spec }) => (spec.volumeLifecycleModes ?? []).join(",") || "<none>"),
    ageColumn,
  ],
  strategy: {
    allowUnconditionalUpdate: false,
    setDefaults,
    validate: validateCsiDriver,
    validateUpdate: validateCsiDriverUpdate,
    warningsOnCreate: csiDriverWarnings,
    warningsOnUpdate: (driver, old) =>
      semanticEqual(driver.spec.tokenRequests, old.spec.tokenRequests) ? [] : csiDriverWarnings(driver),
    // New drivers have no generation.
    prepareForUpdate: (driver, old) => {
      if (!semanticEqual(driver.spec, old.spec)) driver.metadata.generation = (old.metadata.generation ?? 0) + 1;
    },
    returnDeletedObject: true,
  },
};

/** Upstream's `SetDefaults_CSIDriver`. */
function setDefaults(driver: Draft<CSIDriver>): void {
  driver.spec ??= {};
  const { spec } = driver;
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
  if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ["Persistent"];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
}
