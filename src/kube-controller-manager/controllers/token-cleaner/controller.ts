import type { Secret } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { SECRETS } from "../../framework/resources.ts";
import { type Action, BOOTSTRAP_TOKEN_TYPE, type Observed, reconcile } from "./reconcile.ts";

/** Removes bootstrap tokens whose time is up, as upstream's `tokencleaner`, which kubeadm's clusters run. */
export const tokenCleanerController: ControllerDefinition = {
  name: "token-cleaner-controller",
  create({ client, clock, informers }) {
    const secrets = informers.informer<Secret>(SECRETS, {
      namespace: "kube-system",
      fieldSelector: `type=${BOOTSTRAP_TOKEN_TYPE}`,
    });
    return controller<Observed, Action>({
      sources: [source(secrets, ({ type, object }) => (type === "delete" ? [] : [keyOf(object)]))],
      observe(key) {
        const { namespace, name } = splitKey(key);
        const secret = secrets.lister.get(namespace, name);
        return secret === undefined ? undefined : { secret, nowMs: clock.now() };
      },
      reconcile,
      async execute(actions) {
        for (const { secret } of actions) {
          const { namespace = "", name = "", uid = "" } = secret.metadata;
          try {
            await client.delete(SECRETS, namespace, name, { preconditions: { uid } });
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        }
      },
    });
  },
};
