import type { Namespace } from "#api/generated/core/v1.ts";
import { isAlreadyExists, notFound } from "#apimachinery/api-errors/errors.ts";
import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import { internalContext } from "../../registry/internal-context.ts";

/** Nothing is done in a namespace that is not there. NamespaceLifecycle does as much for what is made. */
export const namespaceExists: AdmissionPluginFactory = ({ stores }) => ({
  name: "NamespaceExists",
  validate: ({ operation, group, resource, namespace }) => {
    if (operation === "CONNECT" || namespace === "" || (group === "" && resource === "namespaces")) return;
    if (stores.of<Namespace>("", "namespaces").cached("", namespace) === undefined)
      throw notFound({ group: "", resource: "namespaces" }, namespace);
  },
});

/** A namespace that is not there is made for the first object in it. */
export const namespaceAutoProvision: AdmissionPluginFactory = ({ stores }) => ({
  name: "NamespaceAutoProvision",
  mutate: async ({ operation, group, resource, namespace, dryRun }) => {
    if (operation !== "CREATE" || dryRun || namespace === "" || (group === "" && resource === "namespaces")) return;
    const namespaces = stores.of<Namespace>("", "namespaces");
    if (namespaces.cached("", namespace) !== undefined) return;
    try {
      await namespaces.create(
        { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace }, spec: {} },
        internalContext(),
      );
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  },
});
