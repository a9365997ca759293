import type { DeviceTaintRule } from "#api/generated/resource/v1beta2.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";

/** DeviceTaintRules, as served by resource.k8s.io/v1beta2. */
export const deviceTaintRules: ResourceDefinition<DeviceTaintRule> = {
  group: "resource.k8s.io",
  version: "v1beta2",
  otherVersions: [{ version: "v1alpha3" }],
  kind: "DeviceTaintRule",
  plural: "devicetaintrules",
  singular: "devicetaintrule",
  scope: "Cluster",
  storagePrefix: "devicetaintrules",
  columns: [nameColumn, ageColumn],
  strategy: { returnDeletedObject: true, generationChanges: (object, old) => !semanticEqual(object.spec, old.spec) },
  subresources: { status: { type: "status", keepsMetadata: "all" } },
};
