import type { ResourceClaim } from "#api/generated/resource/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** ResourceClaims, as served by resource.k8s.io/v1. */
export const resourceClaims: ResourceDefinition<ResourceClaim> = {
  group: "resource.k8s.io",
  version: "v1",
  otherVersions: [{ version: "v1beta2" }, { version: "v1beta1" }],
  kind: "ResourceClaim",
  plural: "resourceclaims",
  singular: "resourceclaim",
  scope: "Namespaced",
  storagePrefix: "resourceclaims",
  columns: PLAIN_COLUMNS,
  strategy: {},
  subresources: { status: { type: "status", keepsMetadata: "all" } },
};
