import type { Namespace } from "#api/generated/core/v1.ts";
import { forbidden, notFound } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { type AdmissionAttributes, type AdmissionPluginFactory, admissionForbidden } from "#apiserver/admission/admission.ts";

const IMMORTAL: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);

/** Objects live in namespaces that exist and are not being deleted; some namespaces may not be deleted at all. */
export const namespaceLifecycle: AdmissionPluginFactory = ({ stores }) => ({
  name: "NamespaceLifecycle",
  mutate: (attributes) => {
    const { operation, group, resource, name, namespace } = attributes;
    if (group === "" && resource === "namespaces") {
      if (operation === "DELETE" && IMMORTAL.has(name)) {
        throw forbidden({ group, resource }, name, "this namespace may not be deleted");
      }
      return;
    }
    if (namespace === "" || operation === "DELETE" || operation === "CONNECT" || isAccessReview(attributes)) return;
    const found = stores.of<Namespace>("", "namespaces").cached("", namespace);
    if (found === undefined) throw notFound({ group: "", resource: "namespaces" }, namespace);
    if (operation !== "CREATE" || found.status?.phase !== "Terminating") return;
    throw terminating(attributes, namespace);
  },
});

function isAccessReview({ group, resource }: AdmissionAttributes): boolean {
  return group === "authorization.k8s.io" && resource === "localsubjectaccessreviews";
}

function terminating(attributes: AdmissionAttributes, namespace: string): StatusError {
  const message = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const { status } = admissionForbidden(attributes, message);
  const cause = {
    reason: "NamespaceTerminating",
    message: `namespace ${namespace} is being terminated`,
    field: "metadata.namespace",
  };
  return new StatusError({ ...status, details: { ...status.details, causes: [cause] } });
}
