import type { Namespace, ServiceAccount } from "#api/generated/core/v1.ts";
import { isAlreadyExists } from "#apimachinery/api-errors/errors.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { isNamespaceTerminating } from "../../framework/namespace-terminating.ts";
import { NAMESPACES, SERVICE_ACCOUNTS } from "../../framework/resources.ts";
import { type Action, DEFAULT_SERVICE_ACCOUNT, type Observed, reconcile } from "./reconcile.ts";

/** Gives every namespace its default service account, without which no pod is admitted. */
export const serviceAccountController: ControllerDefinition = {
  name: "serviceaccount-controller",
  create({ client, informers }) {
    const namespaces = informers.informer<Namespace>(NAMESPACES);
    const accounts = informers.informer<ServiceAccount>(SERVICE_ACCOUNTS);
    return controller<Observed, Action>({
      sources: [
        source(namespaces, ({ type, object }) => (type === "delete" ? [] : [object.metadata.name ?? ""])),
        source(accounts, ({ type, object }) =>
          type === "delete" && object.metadata.name === DEFAULT_SERVICE_ACCOUNT ? [object.metadata.namespace ?? ""] : [],
        ),
      ],
      observe(name) {
        const namespace = namespaces.lister.get("", name);
        if (namespace === undefined) return undefined;
        return { namespace, account: accounts.lister.get(name, DEFAULT_SERVICE_ACCOUNT) };
      },
      reconcile,
      async execute(actions) {
        for (const { namespace, account } of actions) {
          try {
            await client.create<ServiceAccount>(SERVICE_ACCOUNTS, namespace, account);
          } catch (error) {
            if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
          }
        }
      },
    });
  },
};
