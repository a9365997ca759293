import type { ConfigMap, Namespace } from "#api/generated/core/v1.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/api-errors/errors.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { isNamespaceTerminating } from "../../framework/namespace-terminating.ts";
import { CONFIG_MAPS, NAMESPACES } from "../../framework/resources.ts";
import { type Action, type Observed, ROOT_CA_CONFIG_MAP, reconcile } from "./reconcile.ts";

/** Publishes the API server's authority into every namespace. Off when no authority is given. */
export const rootCaCertificatePublisher: ControllerDefinition = {
  name: "root-ca-certificate-publisher-controller",
  create({ client, informers, options }) {
    const { rootCa } = options;
    if (rootCa === undefined) return undefined;
    const namespaces = informers.informer<Namespace>(NAMESPACES);
    // Of the others it wants nothing, and there may be many.
    const configMaps = informers.informer<ConfigMap>(CONFIG_MAPS, { fieldSelector: `metadata.name=${ROOT_CA_CONFIG_MAP}` });
    return controller<Observed, Action>({
      sources: [
        source(namespaces, ({ type, object }) => (type === "delete" ? [] : [object.metadata.name ?? ""])),
        source(configMaps, ({ type, object }) =>
          type !== "add" && object.metadata.name === ROOT_CA_CONFIG_MAP ? [object.metadata.namespace ?? ""] : [],
        ),
      ],
      observe(name) {
        const namespace = namespaces.lister.get("", name);
        if (namespace === undefined) return undefined;
        return { namespace, configMap: configMaps.lister.get(name, ROOT_CA_CONFIG_MAP), rootCa };
      },
      reconcile,
      async execute(actions) {
        for (const { type, namespace, configMap } of actions) {
          try {
            if (type === "create") await client.create<ConfigMap>(CONFIG_MAPS, namespace, configMap);
            else await client.update<ConfigMap>(CONFIG_MAPS, namespace, ROOT_CA_CONFIG_MAP, configMap);
          } catch (error) {
            // One that was removed meanwhile brings the namespace back.
            const isLate = type === "create" ? isAlreadyExists(error) : isNotFound(error);
            if (!isLate && !isNamespaceTerminating(error)) throw error;
          }
        }
      },
    });
  },
};
