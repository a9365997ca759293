import type { PodGroup } from "#api/generated/scheduling/v1alpha2.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";

/** PodGroups, as served by scheduling.k8s.io/v1alpha2. */
export const podGroups: ResourceDefinition<PodGroup> = {
  group: "scheduling.k8s.io",
  version: "v1alpha2",
  kind: "PodGroup",
  plural: "podgroups",
  singular: "podgroup",
  scope: "Namespaced",
  storagePrefix: "podgroups",
  columns: [nameColumn, ageColumn],
  strategy: {},
  subresources: { status: { type: "status", keepsMetadata: "all" } },
};
