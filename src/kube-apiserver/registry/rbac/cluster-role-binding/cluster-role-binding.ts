import type { ClusterRoleBinding } from "#api/generated/rbac/v1.ts";
import { nameIsPathSegment } from "#apimachinery/validation/names.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { bindingColumns } from "../binding-columns.ts";
import { setBindingDefaults, validateBindingUpdate, validateClusterRoleBinding } from "../validation.ts";

/** ClusterRoleBindings, as served by rbac.authorization.k8s.io/v1. */
export const clusterRoleBindings: ResourceDefinition<ClusterRoleBinding> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRoleBinding",
  plural: "clusterrolebindings",
  singular: "clusterrolebinding",
  scope: "Cluster",
  storagePrefix: "clusterrolebindings",
  columns: bindingColumns("clusterrolebindings"),
  strategy: {
    allowCreateOnUpdate: true,
    validateName: nameIsPathSegment,
    setDefaults: setBindingDefaults,
    validate: validateClusterRoleBinding,
    validateUpdate: (binding, old) => [...validateClusterRoleBinding(binding), ...validateBindingUpdate(binding, old)],
  },
};
