import type { PolicyRule } from "#apiserver/authorization/policy-rule.ts";
import type { RbacBinding, RbacSource } from "#apiserver/authorization/rbac-source.ts";
import type { StoreRegistry } from "#apiserver/registry/store/store-registry.ts";

const GROUP = "rbac.authorization.k8s.io";

/** Role and bindings out of the server's own watch caches. */
export function rbacStores(stores: StoreRegistry): RbacSource {
  const clusterRoles = stores.generic(GROUP, "clusterroles");
  const roles = stores.generic(GROUP, "roles");
  const clusterRoleBindings = stores.generic(GROUP, "clusterrolebindings");
  const roleBindings = stores.generic(GROUP, "rolebindings");
  let version: { readonly cluster: unknown; readonly namespaced: unknown } = { cluster: undefined, namespaced: undefined };
  return {
    // The caches keep their objects in trees that are never changed: a new tree is a new version.
    version: () => {
      const cluster = clusterRoleBindings.core.cache.tree;
      const namespaced = roleBindings.core.cache.tree;
      if (version.cluster !== cluster || version.namespaced !== namespaced) version = { cluster, namespaced };
      return version;
    },
    clusterRoleBindings: () => clusterRoleBindings.listCached("") as unknown as readonly RbacBinding[],
    roleBindings: () => roleBindings.listCached("") as unknown as readonly RbacBinding[],
    rules: (namespace, name) => {
      const role = namespace === "" ? clusterRoles.cached("", name) : roles.cached(namespace, name);
      return role === undefined ? undefined : ((role.rules ?? []) as readonly PolicyRule[]);
    },
  };
}
