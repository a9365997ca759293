import type { Workload } from "#api/generated/scheduling/v1alpha2.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";

/** Workloads, as served by scheduling.k8s.io/v1alpha2. */
export const workloads: ResourceDefinition<Workload> = {
  group: "scheduling.k8s.io",
  version: "v1alpha2",
  kind: "Workload",
  plural: "workloads",
  singular: "workload",
  scope: "Namespaced",
  storagePrefix: "workloads",
  columns: [nameColumn, ageColumn],
  strategy: {},
};
