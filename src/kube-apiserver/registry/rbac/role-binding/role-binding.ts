import type { RoleBinding } from "#api/generated/rbac/v1.ts";
import { nameIsPathSegment } from "#apimachinery/validation/names.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { bindingColumns } from "../binding-columns.ts";
import { setBindingDefaults, validateBindingUpdate, validateRoleBinding } from "../validation.ts";

/** RoleBindings, as served by rbac.authorization.k8s.io/v1. */
export const roleBindings: ResourceDefinition<RoleBinding> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
  singular: "rolebinding",
  scope: "Namespaced",
  storagePrefix: "rolebindings",
  columns: bindingColumns("rolebindings"),
  strategy: {
    allowCreateOnUpdate: true,
    validateName: nameIsPathSegment,
    setDefaults: setBindingDefaults,
    validate: validateRoleBinding,
    validateUpdate: (binding, old) => [...validateRoleBinding(binding), ...validateBindingUpdate(binding, old)],
  },
};
