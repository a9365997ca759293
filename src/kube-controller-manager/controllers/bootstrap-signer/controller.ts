import type { ConfigMap, Secret } from "#api/generated/core/v1.ts";
import { isConflict, isNotFound } from "#apimachinery/api-errors/errors.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { CONFIG_MAPS, SECRETS } from "../../framework/resources.ts";
import { BOOTSTRAP_TOKEN_TYPE } from "../token-cleaner/reconcile.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";

const CLUSTER_INFO = "kube-public/cluster-info";

/** Signs `cluster-info` with the bootstrap tokens, as kubeadm's clusters do. */
export const bootstrapSignerController: ControllerDefinition = {
  name: "bootstrap-signer-controller",
  workers: 1,
  create({ client, clock, informers }) {
    const secrets = informers.informer<Secret>(SECRETS, {
      namespace: "kube-system",
      fieldSelector: `type=${BOOTSTRAP_TOKEN_TYPE}`,
    });
    const configMaps = informers.informer<ConfigMap>(CONFIG_MAPS);
    return controller<Observed, Action>({
      sources: [
        source(configMaps, ({ type, object }) => (type !== "delete" && keyOf(object) === CLUSTER_INFO ? [CLUSTER_INFO] : [])),
        source(secrets, () => [CLUSTER_INFO]),
      ],
      observe(key) {
        const { namespace, name } = splitKey(key);
        const configMap = configMaps.lister.get(namespace, name);
        if (configMap === undefined) return undefined;
        return { configMap, secrets: secrets.lister.list("kube-system"), nowMs: clock.now() };
      },
      reconcile,
      async execute(actions) {
        for (const { configMap } of actions) {
          const { namespace = "", name = "" } = configMap.metadata;
          try {
            await client.update<ConfigMap>(CONFIG_MAPS, namespace, name, configMap);
          } catch (error) {
            // What changed it brings it back.
            if (!isNotFound(error) && !isConflict(error)) throw error;
          }
        }
      },
    });
  },
};
