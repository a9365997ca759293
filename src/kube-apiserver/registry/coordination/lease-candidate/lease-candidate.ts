import type { LeaseCandidate } from "#api/generated/coordination/v1beta1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";

const column = columnsOf<LeaseCandidate>("coordination.k8s.io/leasecandidates");

/** LeaseCandidates, as served by coordination.k8s.io/v1beta1. */
export const leaseCandidates: ResourceDefinition<LeaseCandidate> = {
  group: "coordination.k8s.io",
  version: "v1beta1",
  otherVersions: [{ version: "v1alpha2" }],
  kind: "LeaseCandidate",
  plural: "leasecandidates",
  singular: "leasecandidate",
  scope: "Namespaced",
  storagePrefix: "leasecandidates",
  columns: [
    nameColumn,
    column("LeaseName", "string", (o) => o.spec.leaseName ?? ""),
    column("BinaryVersion", "string", (o) => o.spec.binaryVersion ?? ""),
    column("EmulationVersion", "string", (o) => o.spec.emulationVersion ?? ""),
    ageColumn,
  ],
  strategy: { anyFinalizers: true, allowCreateOnUpdate: true, allowUnconditionalUpdate: false },
};
