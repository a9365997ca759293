import type { ClusterRole } from "#api/generated/rbac/v1.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { CLUSTER_ROLES } from "../../framework/resources.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";

const NAME = "clusterrole-aggregation-controller";

/** Gathers the rules of cluster roles in those that aggregate them. */
export const clusterRoleAggregationController: ControllerDefinition = {
  name: NAME,
  create({ client, informers }) {
    const roles = informers.informer<ClusterRole>(CLUSTER_ROLES);
    return controller<Observed, Action>({
      // Any role may be part of any other.
      sources: [
        source(roles, () =>
          roles.lister
            .list()
            .filter((role) => role.aggregationRule)
            .map(keyOf),
        ),
      ],
      observe(key) {
        const role = roles.lister.get("", splitKey(key).name);
        return role === undefined ? undefined : { role, all: roles.lister.list() };
      },
      reconcile,
      async execute(actions) {
        for (const { name, rules } of actions) {
          const role = {
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "ClusterRole",
            metadata: { name },
            ...(rules.length > 0 ? { rules } : {}),
          };
          await client.patch(CLUSTER_ROLES, "", name, "application/apply-patch+yaml", role, { fieldManager: NAME, force: true });
        }
      },
    });
  },
};
