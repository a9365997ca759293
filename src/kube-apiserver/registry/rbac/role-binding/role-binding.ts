import type { RoleBinding } from "#api/generated/rbac/v1.ts";
import { nameIsPathSegment } from "#apimachinery/validation/names.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";

/** RoleBindings, as served by rbac.authorization.k8s.io/v1. */
export const roleBindings: ResourceDefinition<RoleBinding> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
  singular: "rolebinding",
  scope: "Namespaced",
  storagePrefix: "rolebindings",
  columns: PLAIN_COLUMNS,
  strategy: { allowCreateOnUpdate: true, validateName: nameIsPathSegment },
};
