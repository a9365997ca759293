import type { Role } from "#api/generated/rbac/v1.ts";
import { nameIsPathSegment } from "#apimachinery/validation/names.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";
import { validateRole } from "../validation.ts";

/** Roles, as served by rbac.authorization.k8s.io/v1. */
export const roles: ResourceDefinition<Role> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "Role",
  plural: "roles",
  singular: "role",
  scope: "Namespaced",
  storagePrefix: "roles",
  columns: PLAIN_COLUMNS,
  strategy: { allowCreateOnUpdate: true, validateName: nameIsPathSegment, validate: validateRole, validateUpdate: validateRole },
};
