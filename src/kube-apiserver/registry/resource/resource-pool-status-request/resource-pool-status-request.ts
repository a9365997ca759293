import type { ResourcePoolStatusRequest } from "#api/generated/resource/v1alpha3.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";

/** ResourcePoolStatusRequests, as served by resource.k8s.io/v1alpha3. */
export const resourcePoolStatusRequests: ResourceDefinition<ResourcePoolStatusRequest> = {
  group: "resource.k8s.io",
  version: "v1alpha3",
  kind: "ResourcePoolStatusRequest",
  plural: "resourcepoolstatusrequests",
  singular: "resourcepoolstatusrequest",
  scope: "Cluster",
  storagePrefix: "resourcepoolstatusrequests",
  columns: [nameColumn, ageColumn],
  strategy: { returnDeletedObject: true },
  subresources: { status: { type: "status", keepsMetadata: "all" } },
};
