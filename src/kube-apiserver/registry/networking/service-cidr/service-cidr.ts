import type { ServiceCIDR } from "#api/generated/networking/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { validateServiceCidr, validateServiceCidrUpdate } from "./validation.ts";

const column = columnsOf<ServiceCIDR>("networking.k8s.io/servicecidrs");

/** ServiceCIDRs, as served by networking.k8s.io/v1. */
export const serviceCIDRs: ResourceDefinition<ServiceCIDR> = {
  group: "networking.k8s.io",
  version: "v1",
  otherVersions: [{ version: "v1beta1" }],
  kind: "ServiceCIDR",
  plural: "servicecidrs",
  singular: "servicecidr",
  scope: "Cluster",
  storagePrefix: "servicecidrs",
  columns: [nameColumn, column("CIDRs", "string", (o) => (o.spec?.cidrs ?? []).join(",")), ageColumn],
  strategy: { validate: validateServiceCidr, validateUpdate: validateServiceCidrUpdate },
  subresources: { status: { type: "status" } },
};
