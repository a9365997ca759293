import type { ResourceQuota } from "#api/generated/core/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** ResourceQuotas, as served by v1. */
export const resourceQuotas: ResourceDefinition<ResourceQuota> = {
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  singular: "resourcequota",
  shortNames: ["quota"],
  scope: "Namespaced",
  storagePrefix: "resourcequotas",
  columns: PLAIN_COLUMNS,
  strategy: {},
  subresources: { status: { type: "status" } },
};
