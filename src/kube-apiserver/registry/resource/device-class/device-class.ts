import type { DeviceClass } from "#api/generated/resource/v1.ts";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { isLongName } from "#apimachinery/validation/names.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { validateDeviceClass } from "./validation.ts";

/** DeviceClasses, as served by resource.k8s.io/v1. */
export const deviceClasses: ResourceDefinition<DeviceClass> = {
  group: "resource.k8s.io",
  version: "v1",
  otherVersions: [{ version: "v1beta2" }, { version: "v1beta1" }],
  kind: "DeviceClass",
  plural: "deviceclasses",
  singular: "deviceclass",
  scope: "Cluster",
  storagePrefix: "deviceclasses",
  columns: [nameColumn, ageColumn],
  strategy: {
    load: async () => void (await loadKubernetesCel()),
    validateName: (name, prefix) => (prefix ? [] : isLongName(name)),
    validate: validateDeviceClass,
    returnDeletedObject: true,
    generationChanges: (object, old) => !semanticEqual(object.spec, old.spec),
  },
};
