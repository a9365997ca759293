import type { Lease } from "#api/generated/coordination/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, columnsOf, nameColumn } from "../../columns.ts";

const column = columnsOf<Lease>("coordination.k8s.io/leases");

/** Leases, as served by coordination.k8s.io/v1. */
export const leases: ResourceDefinition<Lease> = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  singular: "lease",
  scope: "Namespaced",
  storagePrefix: "leases",
  columns: [nameColumn, column("Holder", "string", (o) => o.spec.holderIdentity ?? ""), ageColumn],
  strategy: { allowCreateOnUpdate: true, allowUnconditionalUpdate: false },
};
