import type { PolicyRule } from "#apiserver/authorization/policy-rule.ts";
import type { BindingChange, RbacBinding, RbacSource } from "#apiserver/authorization/rbac-source.ts";
import type { StoreRegistry } from "#apiserver/registry/store/store-registry.ts";

type GenericStore = ReturnType<StoreRegistry["generic"]>;

const GROUP = "rbac.authorization.k8s.io";

/** Gives the same value as long as nothing of some stores has changed. Their caches keep objects in trees that are never changed: a new tree is a new version. */
function versionOf(stores: readonly GenericStore[]): () => unknown {
  let trees: readonly unknown[] = [];
  return () => {
    if (stores.some(({ core }, i) => core.cache.tree !== trees[i])) trees = stores.map(({ core }) => core.cache.tree);
    return trees;
  };
}

/** Tells what has changed among bindings since it was asked before. Their order is that of their keys, as upstream's. */
function followBindings(stores: StoreRegistry): () => readonly BindingChange[] {
  const follow = ["clusterrolebindings", "rolebindings"].map((plural) => stores.follow<RbacBinding>(GROUP, plural));
  return () => follow.flatMap((changes) => changes().map(({ key, object }) => ({ place: key, binding: object })));
}

/** Role and bindings out of the server's own watch caches. */
export function rbacStores(stores: StoreRegistry): RbacSource {
  const clusterRoles = stores.generic(GROUP, "clusterroles");
  const roles = stores.generic(GROUP, "roles");
  const clusterRoleBindings = stores.generic(GROUP, "clusterrolebindings");
  const roleBindings = stores.generic(GROUP, "rolebindings");
  return {
    followBindings: () => followBindings(stores),
    rulesVersion: versionOf([clusterRoleBindings, roleBindings, clusterRoles, roles]),
    rules: (namespace, name) => {
      const role = namespace === "" ? clusterRoles.cached("", name) : roles.cached(namespace, name);
      return role === undefined ? undefined : ((role.rules ?? []) as readonly PolicyRule[]);
    },
  };
}
