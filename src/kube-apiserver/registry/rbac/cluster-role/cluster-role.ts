import type { ClusterRole } from "#api/generated/rbac/v1.ts";
import { nameIsPathSegment } from "#apimachinery/validation/names.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";
import { validateClusterRole } from "../validation.ts";

/** ClusterRoles, as served by rbac.authorization.k8s.io/v1. */
export const clusterRoles: ResourceDefinition<ClusterRole> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  singular: "clusterrole",
  scope: "Cluster",
  storagePrefix: "clusterroles",
  columns: PLAIN_COLUMNS,
  strategy: {
    allowCreateOnUpdate: true,
    validateName: nameIsPathSegment,
    validate: (role) => validateClusterRole(role),
    validateUpdate: validateClusterRole,
  },
};
