import type { ClusterRole } from "#api/generated/rbac/v1.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { CLUSTER_ROLES } from "../../framework/resources.ts";
import { type Action, isPartOf, type Observed, reconcile } from "./reconcile.ts";

const NAME = "clusterrole-aggregation-controller";
/** Cluster roles that gather the rules of others, under one value. */
const AGGREGATING_INDEX = "aggregating";
const AGGREGATING = "yes";

/** Gathers the rules of cluster roles in those that aggregate them. */
export const clusterRoleAggregationController: ControllerDefinition = {
  name: NAME,
  create({ client, informers }) {
    const roles = informers.informer<ClusterRole>(CLUSTER_ROLES);
    roles.addIndex(AGGREGATING_INDEX, ({ aggregationRule }) => (aggregationRule ? [AGGREGATING] : []));
    return controller<Observed, Action>({
      sources: [
        source(roles, ({ old, object }) => {
          const concerned = roles.byIndex(AGGREGATING_INDEX, AGGREGATING).filter((role) => {
            const changed = role.metadata.name === object.metadata.name;
            return changed || isPartOf(object, role) || (old !== undefined && isPartOf(old, role));
          });
          return concerned.map(keyOf);
        }),
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
